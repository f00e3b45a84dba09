// Exercises that answer on the page: a number, a word or several under the exercise, compared by the rule of
// course_lib/exercises.py. A hint comes with the first wrong try; the solution never does. Answers stay in this browser.
(() => {
  "use strict";

  const { make } = window.course;

  const decode = (key) => {
    const bytes = Uint8Array.from(atob([...key].reverse().join("")), (byte) => byte.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  };

  // 1437, 1,437, -0.5, 2e-3, 3/5, 41 %; NaN for all else.
  const number = (text) => {
    let word = text.trim().replace(/\s*%$/, "").replace(/^\+/, "").replaceAll("−", "-");
    if (/^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(word)) word = word.replaceAll(",", "");
    const fraction = word.match(/^(-?\d+)\s*\/\s*(\d+)$/);
    if (fraction) return Number(fraction[1]) / Number(fraction[2]);
    return /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) ? Number(word) : NaN;
  };

  const close = (answer, right, { rel_tol: tolerance, digits }) => {
    const gap = Math.abs(answer - right);
    if (tolerance !== null) return gap <= Math.max(tolerance * Math.max(Math.abs(answer), Math.abs(right)), 1e-9);
    if (Number.isInteger(right)) return gap <= Math.max(1e-9 * Math.max(Math.abs(answer), Math.abs(right)), 1e-9);
    const unit = 10 ** (Math.floor(Math.log10(Math.abs(right))) - digits + 1);
    return gap <= 0.5 * unit * (1 + 1e-9);
  };

  const words = (text) => text.trim().replace(/^[[({]|[\])}]$/g, "").split(/[,;]/).map((word) => word.trim()).filter(Boolean);
  const bare = (text) => text.trim().replace(/^(['"])(.*)\1$/, "$2").toLowerCase();

  // Whether a text is the right value: a number, a word, true or false, or a sequence of these.
  const same = (text, right, rule) => {
    if (Array.isArray(right)) {
      if (right.some(Array.isArray)) {
        const flat = words(text.replace(/[[\](){}]/g, ""));
        return same(flat.join(";"), right.flat(), rule);
      }
      const items = words(text);
      return items.length === right.length && right.every((value, i) => same(items[i], value, rule));
    }
    if (right !== null && typeof right === "object") {
      const items = words(text), wanted = right["any order"];
      return items.length === wanted.length && wanted.every((value) => items.some((item) => same(item, value, rule)));
    }
    if (typeof right === "boolean") {
      const said = { true: true, yes: true, false: false, no: false }[bare(text)];
      return said === right;
    }
    if (typeof right === "number") return close(number(text), right, rule);
    return bare(text) === right.trim().toLowerCase();
  };

  const asked = (value) => {
    const many = Array.isArray(value) || (value !== null && typeof value === "object");
    const count = Array.isArray(value) ? value.flat().length : many ? value["any order"].length : 1;
    const one = many ? (Array.isArray(value) ? value.flat()[0] : value["any order"][0]) : value;
    const kind = typeof one === "number" ? "number" : typeof one === "boolean" ? "yes or no" : "word";
    return count > 1 ? `Your answer: ${count} values, separated by commas` : `Your answer: a ${kind}`.replace("a yes", "yes");
  };

  const kept = (name, value) => {
    const key = `course.answer.${name}`;
    try {
      if (value !== undefined) localStorage.setItem(key, value);
      return localStorage.getItem(key) ?? "";
    } catch { return value ?? ""; }
  };

  const build = (place) => {
    const name = place.dataset.exercise, rule = decode(place.dataset.key);
    const input = make("input", { type: "text", id: `${name}-answer`, autocomplete: "off", value: kept(name) });
    const said = make("p", { role: "status", className: "answer-said" });
    const form = make("form", {}, make("label", { htmlFor: input.id, textContent: asked(rule.value) }),
      input, make("button", { type: "submit", textContent: "Check" }), said);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!input.value.trim()) {
        said.textContent = "Not answered yet.";
        return;
      }
      kept(name, input.value);
      const right = same(input.value, rule.value, rule);
      said.textContent = right ? "Correct." : `Not yet.${rule.hint ? ` Hint: ${rule.hint}` : ""}`;
      place.classList.toggle("answer-right", right);
    });
    place.append(form);
  };

  window.course.answers = { decode, same, number };
  for (const place of document.querySelectorAll(".answer-box")) build(place);
})();
