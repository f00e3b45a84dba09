// Search and filters above the ledger's table of all figures. Without this script the table stands there whole.
(() => {
  "use strict";

  const VERDICTS = ["reproduced", "rounded", "measured", "ambiguous", "differs", "not attempted"];

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  const choice = (name, words, options) =>
    make("select", { name }, make("option", { value: "", textContent: words }),
      ...options.map(([value, textContent]) => make("option", { value, textContent })));

  const field = (words, control) => {
    control.id = `ledger-${control.name}`;
    return make("div", {}, make("label", { htmlFor: control.id, textContent: words }), control);
  };

  // What the filters ask of a row, read once.
  const read = (row) => ({
    row,
    text: row.textContent.toLowerCase().replace(/,(?=\d)/g, ""),
    verdict: VERDICTS.find((verdict) => row.classList.contains(`ledger-${verdict.replace(" ", "-")}`)) ?? "",
    source: [...row.classList].find((name) => name.startsWith("source-"))?.slice(7) ?? "",
    name: row.querySelector(".ledger-source").textContent,
  });

  const build = (table) => {
    const rows = [...table.tBodies[0].rows].map(read);
    const sources = [...new Map(rows.map(({ source, name }) => [source, name])).entries()]
      .sort((one, other) => one[1].localeCompare(other[1]));
    const found = VERDICTS.filter((verdict) => rows.some((row) => row.verdict === verdict));
    const search = make("input", { type: "search", name: "q", placeholder: "network, layer, number, word" });
    const verdict = choice("verdict", "all verdicts", found.map((name) => [name, name]));
    const source = choice("source", "all sources", sources);
    const clear = make("button", { type: "reset", textContent: "Show all" });
    const count = make("output");
    const form = make("form", { className: "ledger-controls" },
      field("Search the figures", search), field("Verdict", verdict), field("Source", source), clear, count);
    form.setAttribute("role", "search");
    form.setAttribute("aria-label", "Figures of the ledger");
    count.setAttribute("aria-live", "polite");

    const show = () => {
      const words = search.value.toLowerCase().replace(/,(?=\d)/g, "").split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const entry of rows) {
        const fits = (!verdict.value || entry.verdict === verdict.value)
          && (!source.value || entry.source === source.value) && words.every((word) => entry.text.includes(word));
        entry.row.hidden = !fits;
        shown += fits;
      }
      count.textContent = `${shown} of ${rows.length} figures`;
    };

    // The address keeps the choice, so that it can be passed on: ledger.html?verdict=differs
    const remember = () => {
      const address = new URL(location.href);
      for (const control of [search, verdict, source]) {
        if (control.value) address.searchParams.set(control.name, control.value);
        else address.searchParams.delete(control.name);
      }
      history.replaceState(null, "", address);
    };

    const reveal = () => {
      const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (!row?.hidden || !table.contains(row)) return;
      form.reset();
      show();
      row.scrollIntoView();
    };

    const asked = new URLSearchParams(location.search);
    for (const control of [search, verdict, source]) control.value = asked.get(control.name) ?? "";
    for (const control of [verdict, source]) if (control.selectedIndex < 0) control.value = "";
    form.addEventListener("input", () => { show(); remember(); });
    form.addEventListener("reset", () => setTimeout(() => { show(); remember(); search.focus(); }));
    form.addEventListener("submit", (event) => event.preventDefault());
    addEventListener("hashchange", reveal);
    (table.closest(".pst-scrollable-table-container") ?? table).before(form);
    show();
    reveal();
  };

  const start = () => document.querySelectorAll("table.ledger-all").forEach(build);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
