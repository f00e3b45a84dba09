// Predict, then see. Between a prediction and its mark everything is folded until the reader has answered, or has asked
// to see it. Answers stay in this browser. Without this script, and in print, all is open.
(() => {
  "use strict";

  const { make } = window.course;

  // What is kept: {name: {answer, outcome, right}} and whether all folds are to be open. A browser that keeps nothing
  // forgets when the page is left.
  const KEPT = "course.predictions", ALL = "course.predictions.open";
  let memory = {};
  const read = (key, usual) => {
    try { return JSON.parse(localStorage.getItem(key)) ?? memory[key] ?? usual; } catch { return memory[key] ?? usual; }
  };
  const write = (key, value) => {
    memory[key] = value;
    try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* kept for this page alone */ }
  };
  const answers = {
    all: () => read(KEPT, {}),
    get: (name) => read(KEPT, {})[name],
    set: (name, value) => {
      const all = read(KEPT, {});
      if (value) all[name] = value; else delete all[name];
      write(KEPT, all);
    },
    open: () => read(ALL, false),
    setOpen: (value) => write(ALL, value),
  };
  window.course.predictions = answers;

  const text = (encoded) => new TextDecoder().decode(Uint8Array.from(atob(encoded), (byte) => byte.charCodeAt(0)));

  // The blocks between a box and its mark.
  const answered = (box) => {
    const blocks = [];
    for (let next = box.nextElementSibling; next; next = next.nextElementSibling) {
      if (next.classList.contains("revealed")) return blocks;
      blocks.push(next);
    }
    return [];
  };

  const boxes = [];

  const set = (box) => {
    const blocks = answered(box);
    if (!blocks.length) return;
    const name = box.id, outcome = text(box.dataset.outcome);
    const fold = make("div", { className: "predict-fold", id: `${name}-answer` });
    blocks[0].before(fold);
    fold.append(...blocks);

    const list = box.querySelector(".predict-options");
    const options = list ? [...list.querySelectorAll("li")].map((item) => item.textContent.trim()) : [];
    let value;
    const form = make("form", { className: "predict-form" });
    if (options.length) {
      const group = make("fieldset", {}, make("legend", { textContent: "Your prediction" }));
      for (const option of options) {
        const radio = make("input", { type: "radio", name: `${name}-option`, value: option });
        group.append(make("label", {}, radio, ` ${option}`));
      }
      form.append(group);
      list.hidden = true;
      value = () => form.querySelector("input:checked")?.value ?? "";
    } else {
      const area = make("textarea", { rows: 2, id: `${name}-text` });
      form.append(make("label", { htmlFor: area.id, textContent: "Your prediction" }), area);
      value = () => area.value.trim();
    }
    const show = make("button", { type: "submit", textContent: "See what came out", disabled: true });
    const skip = make("button", { type: "button", className: "predict-quiet", textContent: "Show without a prediction" });
    const always = make("button", { type: "button", className: "predict-quiet", textContent: "Show all, always" });
    form.append(make("div", { className: "predict-buttons" }, show, skip, always));
    const said = make("p", { className: "predict-said", tabIndex: -1, role: "status" });
    const again = make("button", { type: "button", className: "predict-quiet", textContent: "Ask me again" });
    box.append(form, said, again);

    const state = (open) => {
      const kept = answers.get(name);
      form.hidden = open;
      again.hidden = !open;
      said.hidden = !kept;
      if (kept) {
        said.replaceChildren(make("strong", { textContent: "You predicted: " }), kept.answer);
        if (outcome) said.append(make("br"), make("strong", { textContent: "What came out: " }), outcome);
        if (options.length) said.append(kept.answer === outcome ? " — as you said." : " — read why.");
      }
      if (open) fold.removeAttribute("hidden");
      else fold.setAttribute("hidden", "until-found");
    };
    form.addEventListener("input", () => { show.disabled = !value(); });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!value()) return;
      const right = options.length ? value() === outcome : null;
      answers.set(name, { answer: value(), outcome, right });
      state(true);
      said.focus();
    });
    skip.addEventListener("click", () => { state(true); again.focus(); });
    always.addEventListener("click", () => {
      answers.setOpen(true);
      for (const other of boxes) other.state(true);
      again.focus();
    });
    again.addEventListener("click", () => {
      answers.set(name, null);
      answers.setOpen(false);
      form.reset();
      show.disabled = true;
      state(false);
      form.querySelector("input, textarea").focus();
    });
    fold.addEventListener("beforematch", () => state(true));
    boxes.push({ fold, state });
    state(answers.open() || Boolean(answers.get(name)));
  };

  // A link into a fold opens it.
  const follow = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const owner = target && boxes.find(({ fold }) => fold.contains(target));
    if (!owner) return;
    owner.state(true);
    target.scrollIntoView();
  };

  for (const box of document.querySelectorAll(".predict[data-outcome]")) set(box);
  follow();
  window.addEventListener("hashchange", follow);
  window.addEventListener("beforeprint", () => { for (const { fold } of boxes) fold.removeAttribute("hidden"); });
})();
