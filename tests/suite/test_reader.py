"""The reader's notebook: each piece of the page builder's markup in plain Markdown, and no piece without a form."""

import nbformat
import pytest

from course_suite.errors import UserError
from course_suite.project import Project
from course_suite.reader.cells import reader_cells
from course_suite.reader.code import untitled
from course_suite.reader.context import Context
from course_suite.reader.markup import left_over
from course_suite.reader.places import Book
from course_suite.reader.text import convert

SITE = "https://OWNER.github.io/cnn-recomputed"
TRIED = "this can be tried out by hand."
REFERENCES = """\
@article{he2016deep, author={He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing}, title={Deep Learning}, journal={A_B},
year={2016}, eprint={1512.03385}, archiveprefix={arXiv}}
@article{araujo2019computing, author={de Araujo, Andr{\\'e} and Sim, Jack}, title={Fields}, year={2019}}
"""
GLOSSARY = "# Glossary\n\n```{glossary}\nReLU\n    Zero or more.\n\nfeature map\n    Sums.\n```\n"
PLACES = """
(sec-own)=
## A section of its own

### Below it

$$
O = I - K + 1
$$ (eq-size)

:::{exercise}
:label: ex-first
How many?
:::

:::{exercise} By hand
:label: ex-second
How many $a_b$ now?
:::

(sec-odd)=
## A *marked* section
"""


@pytest.fixture
def context(toy):
    """The first chapter of the toy course, with places to refer to, and a glossary and works beside it."""
    toy.chapter(1, PLACES)
    toy.chapter(2, PLACES.replace("sec-", "other-").replace("eq-", "other-").replace("ex-", "other-"))
    toy.edit("_toc.yml", "- file: notebooks/02_toy\n", "- file: notebooks/02_toy\n- file: book/glossary\n")
    toy.write("book/glossary.md", GLOSSARY)
    toy.write("book/references.bib", REFERENCES)
    project = Project(toy.root)
    return Context(Book(project), project.chapters[0], {"size": "1,437", "odd": "a_b *c* $d | `e"})


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("Over {glue:text}`size` seeds.", "Over 1,437 seeds."),
        ("{glue:text}`odd`", r"a\_b \*c\* \$d \| \`e"),
        ("**{glue:text}`size`%** of\n{glue:text}`size`", "**1,437%** of\n1,437"),
        ("A {term}`ReLU`", f"A [ReLU]({SITE}/book/glossary.html#term-ReLU)"),
        ("{term}`Maps <feature\nmap>` here", f"[Maps]({SITE}/book/glossary.html#term-feature-map) here"),
        ("{ref}`sec-own`", "[A section of its own](#1.1.-A-section-of-its-own)"),
        ("see {ref}`there <sec-odd>`", "see [there](#sec-odd)"),
        ("{ref}`other-own`", f"[A section of its own]({SITE}/notebooks/02_toy.html#other-own)"),
        ("{ref}`ex-second`", "[Exercise 1.2](#ex-second)"),
        ("{numref}`sec-own`", "[Section 1.1](#1.1.-A-section-of-its-own)"),
        ("{numref}`section %s <sec-own>`", "[section 1.1](#1.1.-A-section-of-its-own)"),
        ("equation {eq}`eq-size`", "equation [(1.1)](#equation-eq-size)"),
        ("{eq}`other-size`", f"[(2.1)]({SITE}/notebooks/02_toy.html#equation-other-size)"),
        ("{doc}`/notebooks/02_toy`", f"[Toy 2]({SITE}/notebooks/02_toy.html)"),
        ("{doc}`words <02_toy>`", f"[words]({SITE}/notebooks/02_toy.html)"),
        ("[words](sec-own)", "[words](#1.1.-A-section-of-its-own)"),
        ("[out](https://x.test/a_b)", "[out](https://x.test/a_b)"),
        ("{cite:t}`he2016deep` say", "[He et al. (2016)](#ref-he2016deep) say"),
        (
            "so {cite:p}`he2016deep, araujo2019computing`.",
            "so ([He et al., 2016](#ref-he2016deep); [de Araujo and Sim, 2019](#ref-araujo2019computing)).",
        ),
        ("{glue:text}`size` as code: `` {ref}`x` `` and `{x}`", "1,437 as code: `` {ref}`x` `` and `{x}`"),
        ("$a_{b}$ and $$c$$ {glue:text}`size`", "$a_{b}$ and $$c$$ 1,437"),
        ("- a list\n- with {glue:text}`size`\n  - nested", "- a list\n- with 1,437\n  - nested"),
        ("| a | b |\n| --- | --- |\n| {glue:text}`size` | x |", "| a | b |\n| --- | --- |\n| 1,437 | x |"),
        ("```python\n{ref}`x`\n```", "```python\n{ref}`x`\n```"),
        ("% a comment\n\ntext", "text"),
        ("# Title", "# 1. Title"),
        ("## First\n\n### Inner\n\n## {glue:text}`size`", "## 1.1. First\n\n### Inner\n\n## 1.2. 1,437"),
        ("(sec-own)=\n## A section", '<a id="1.1.-A-section-of-its-own"></a>\n\n## 1.1. A section'),
        ("$$\nx\n$$", "$$\nx\n$$"),
        ("$$\nx\n$$ (eq-size)", '<a id="equation-eq-size"></a>\n\n$$\nx\n\\tag{1.1}\n$$'),
        ("word\n: what it\n  means\n\nother\n: too", "- **word**: what it means\n- **other**: too"),
        (":::{admonition} In short\n:class: tip\n- {glue:text}`size`\n:::", "> **In short**\n>\n> - 1,437"),
        ("```{note}\nMind.\n\nTwice.\n```", "> **Note**\n>\n> Mind.\n>\n> Twice."),
        (
            ":::{predict} pr-x\n:options: more | less\n\nMore?\n:::",
            '<a id="pr-x"></a>\n\n> **Prediction 1.1**\n>\n> More?\n>\n> - more\n> - less',
        ),
        ("text\n\n:::{revealed}\n:::\n\nmore", "text\n\nmore"),
        (
            ":::{exercise} By hand\n:label: ex-first\nHow many?\n:::",
            '<a id="ex-first"></a>\n\n> **Exercise 1.1 (By hand)**\n>\n> How many?',
        ),
        (
            ":::{live} kernel\n:state: stride=2\n\n| a |\n| --- |\n| {glue:text}`size` |\n:::",
            f"| a |\n| --- |\n| 1,437 |\n\n*[On the page]({SITE}/notebooks/01_toy.html#live-kernel) {TRIED}*",
        ),
    ],
)
def test_markup_becomes_plain_markdown(context, source, made):
    assert convert(source, context) == made
    assert left_over(made) == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{glue:text}`lost`", "the recorded run has no value 'lost'; run: course pair --record 1"),
        ("{glue}`size`", "the role {glue} has no form in a notebook; known: glue:text, "),
        ("{new-role}`x`", "the role {new-role} has no form"),
        ("{ref}`nowhere`", "nothing in the book is labelled 'nowhere'"),
        ("{ref}`eq-size`", "'eq-size' has no title"),
        ("{numref}`words <pr-x>`", "nothing in the book is labelled 'pr-x'"),
        ("{term}`word`", "the glossary has no word 'word'"),
        ("{doc}`lost`", "no page is called 'lost'"),
        ("{cite:t}`lost2000`", "the bibliography has no entry 'lost2000'"),
        ("{ledger}`lost`", "lost"),
        (":::{figure} x.png\n:::", "the directive {figure} has no form in a notebook here; known: admonition, "),
        ("```{code-block} python\nx\n```", "the directive {code-block} has no form"),
        (":::{admonition} Box\n:::{tip}\nInner\n:::\n:::", "the directive {tip} has no form"),
        ("- a list\n\n  :::{note}\n  x\n  :::", "stands inside a list or a quotation"),
        ("<div>\nraw\n</div>", "html_block"),
        ("![alt](x.png)", "has no form in a notebook"),
        ("[^1]: a note", "has no form in a notebook"),
    ],
)
def test_what_has_no_form_in_a_notebook_is_refused(context, source, message):
    with pytest.raises(UserError, match=r".*") as refused:
        convert(source, context)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "a {ref}`b`",
        ":::{note}",
        ":::",
        "> ```{tip}",
        "(label)=",
        "@SITE@",
        "[a]{.b}",
        "{new:role}`x <y>`",
        "{glue}``x``",
    ],
)
def test_markup_that_is_left_is_found(text):
    assert left_over(f"before\n\n{text}\n\nafter")


def notebook(context, *cells):
    return list(reader_cells([nbformat.from_dict(cell) for cell in cells], context))


def text(source):
    return nbformat.v4.new_markdown_cell(source)


def code(source, *tags, **metadata):
    return nbformat.v4.new_code_cell(source, metadata={"tags": [*tags], **metadata})


def test_a_solution_is_one_closed_cell_of_text_that_runs_nothing(context):
    made = notebook(
        context,
        text("before\n\n```{solution-start} ex-first\n:class: dropdown\n```\nThe {glue:text}`size`."),
        code("answer = 3", "nbval-check-output"),
        code("check(answer)"),
        text("At last.\n```{solution-end}\n```\n\nafter"),
    )
    assert [cell.cell_type for cell in made] == ["markdown"] * 3
    assert [made[0].source, made[2].source] == ["before", "after"]
    assert made[1].source == (
        "<details>\n<summary>Solution to Exercise 1.1</summary>\n\nThe 1,437.\n\n```python\nanswer = 3\n```\n\n"
        "```python\ncheck(answer)\n```\n\nAt last.\n\n</details>"
    )


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([text("```{solution-start} ex-first\n```")], "a solution begins that does not end"),
        ([text("```{solution-end}\n```")], "a solution ends that did not begin"),
        (
            [text("```{solution-start} ex-first\n```"), text("```{solution-start} ex-second\n```")],
            "a solution begins inside another",
        ),
        (
            [
                text("```{solution-start} ex-first\n```"),
                code("draw()", mystnb={"figure": {"caption": "c", "name": "n"}}),
            ],
            "a figure with a caption stands inside a solution",
        ),
    ],
)
def test_a_solution_that_would_be_read_wrongly_is_refused(context, cells, message):
    with pytest.raises(UserError, match=message):
        notebook(context, *cells)


@pytest.mark.parametrize(
    ("cell", "title", "folded"),
    [
        (code("size = 3", "parameters", "hide-input"), "Set-up: parameters. Change them, and run what follows", False),
        (code("import torch\n\nuse_style()", "hide-input"), "Set-up: imports", True),
        (code("glue('a', 1)", "hide-input"), "Set-up: numbers and helpers for the text", True),
        (code("expect('ex')", "exercise-keys", "remove-cell"), "Keys of the exercises", True),
        (code("train()", "nbval-check-output"), "", False),
    ],
)
def test_set_up_is_marked_and_folded_where_the_page_folds_it(context, cell, title, folded):
    (made,) = notebook(context, cell)
    assert untitled(made.source) == cell.source
    assert made.source.startswith(f"# @title {title}" if title else cell.source)
    assert (made.metadata.get("cellView"), made.metadata.get("jupyter")) == (
        ("form", {"source_hidden": True}) if folded else (None, None)
    )
    assert set(made.metadata.get("tags", [])) == set(cell.metadata.tags) & {"parameters", "nbval-check-output"}


def test_a_figure_has_its_number_its_caption_and_words_for_what_is_seen(context):
    shown = {"figure": {"caption": "Loss of\n{glue:text}`size` steps.", "name": "sec-own"}, "image": {"alt": "A line."}}
    drawing, caption = notebook(context, code("draw()", "hide-input", mystnb=shown))
    assert drawing.source == "# @title Set-up: draws Figure 1.1\ndraw()"
    assert drawing.metadata == {"cellView": "form", "jupyter": {"source_hidden": True}}
    assert caption.source.startswith('<a id="1.1.-A-section-of-its-own"></a>**[Figure 1.1.](')
    assert caption.source.endswith(
        "** Loss of 1,437 steps.\n\n<details>\n<summary>Figure 1.1 in words</summary>\n\nA line.\n\n</details>"
    )
