// The page "My predictions": behind each prediction of the book, what this reader said and what came out.
(() => {
  "use strict";

  const { make, predictions } = window.course;
  const list = document.querySelector(".prediction-list");
  if (!list) return;

  const items = [...list.querySelectorAll("li.prediction")];
  const name = (item) => item.id.replace(/^my-/, "");
  const summary = make("p", { role: "status" });

  const rows = () => {
    const all = predictions.all();
    return items.map((item) => ({ item, title: item.querySelector("a").textContent, kept: all[name(item)],
      question: item.querySelector("p").textContent.replace(/^[^:]*: /, "") }));
  };

  const show = () => {
    const all = rows(), made = all.filter(({ kept }) => kept), marked = made.filter(({ kept }) => kept.right !== null);
    for (const { item, kept } of all) {
      item.querySelector(".prediction-mine")?.remove();
      const words = kept
        ? `You predicted: ${kept.answer}.${kept.outcome ? ` What came out: ${kept.outcome}.` : ""}`
        : "Not predicted yet.";
      item.append(make("p", { className: "prediction-mine", textContent: words }));
    }
    summary.textContent = `You have made ${made.length} of ${all.length} predictions. Of those with options, `
      + `${marked.filter(({ kept }) => kept.right).length} of ${marked.length} came out as you said.`;
  };

  const save = (file, type, text) => {
    const link = make("a", { download: file, href: URL.createObjectURL(new Blob([text], { type })) });
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const quoted = (value) => `"${String(value ?? "").replaceAll('"', '""')}"`;
  const csv = () => [["prediction", "question", "my answer", "what came out", "as I said"],
    ...rows().filter(({ kept }) => kept).map(({ title, question, kept }) =>
      [title, question, kept.answer, kept.outcome, kept.right === null ? "" : kept.right ? "yes" : "no"])]
    .map((cells) => cells.map(quoted).join(",")).join("\r\n");

  const download = make("button", { type: "button", textContent: "Save as CSV" });
  download.addEventListener("click", () => save("my-predictions.csv", "text/csv", `${csv()}\r\n`));
  const always = make("input", { type: "checkbox", checked: predictions.open() });
  always.addEventListener("change", () => predictions.setOpen(always.checked));
  const forget = make("button", { type: "button", textContent: "Forget all" });
  forget.addEventListener("click", () => {
    if (!confirm("Forget all your predictions in this browser?")) return;
    for (const { item } of rows()) predictions.set(name(item), null);
    show();
  });
  list.before(make("div", { className: "my-predictions" }, summary,
    make("p", {}, make("label", {}, always, " Show all answers without asking")),
    make("p", {}, download, " ", forget)));
  show();
})();
