// Which convention did they count? Switches for what a count holds, and printed figures to hit.
(() => {
  "use strict";
  const { make, field, choice, say, table } = course;

  const PARTS = { linear: "linear layers", bias: "biases", norm: "batch normalisation", activation: "activations",
    sum: "sums and products of maps" };
  const SWITCHES = { ...PARTS, heads: "auxiliary heads" };
  const UNITS = { macs: "multiply-adds", operations: "operations: a multiply-add is two" };
  const USUAL = ["linear"];

  // The count of one form of a network. As operations a multiply-add counts 2; so does a normalised value, which is
  // multiplied and shifted. A bias, an activation and a sum are one operation each in either unit.
  const pieces = (form, unit, on) => {
    const parts = on.includes("heads") && form.trained ? form.trained : form.used, twice = unit === "operations" ? 2 : 1;
    const factor = { conv: twice, linear: twice, norm: twice, bias: 1, activation: 1, sum: 1 };
    return Object.fromEntries(Object.keys(factor).filter((name) => name === "conv" || on.includes(name))
      .map((name) => [name, factor[name] * parts[name]]));
  };
  const count = (form, unit, on) => Object.values(pieces(form, unit, on)).reduce((sum, part) => sum + part, 0);

  // How a count stands to a printed figure. Zeros at the end of a whole number are not taken for digits.
  const step = ({ text, scale }) => {
    const [whole, decimals] = text.split(".");
    return decimals === undefined ? scale * 10 ** whole.match(/0*$/)[0].length : scale / 10 ** decimals.length;
  };
  const hit = (counted, printed) => {
    const unit = step(printed), figure = Math.round(Number(printed.text) * printed.scale / unit);
    if (Math.floor(counted / unit + 0.5) === figure) return "rounded";
    return Math.floor(counted / unit) === figure ? "cut off" : null;
  };

  // Every state of the switches, for one network: what is not there makes no difference.
  const everything = (network) => network.forms.flatMap((form) => Object.keys(UNITS).flatMap((unit) => {
    const names = Object.keys(SWITCHES);
    return Array.from({ length: 2 ** names.length }, (_, bits) =>
      ({ form, unit, on: names.filter((_name, at) => bits & (1 << at)) }));
  }));
  const reachable = (network, printed) => everything(network).some(({ form, unit, on }) => hit(count(form, unit, on), printed));

  const shown = (number) => number.toLocaleString("en");
  const away = (counted, { text, scale }) => {
    const percent = (100 * (counted / (Number(text) * scale) - 1)).toFixed(1);
    return `${percent < 0 ? "" : "+"}${percent}%`.replace("-", "−");
  };
  const short = ({ text, scale }) => `${text} ${scale === 1e9 ? "billion" : "million"}`;

  const build = ({ root, state }, networks) => {
    const named = (list, wanted) => (list.includes(wanted) ? wanted : list[0]);
    const [networkField, chosen] = choice("Network", networks.map(({ name, title }) => [name, title]),
      named(networks.map(({ name }) => name), state.get("network", "resnet50")));
    const [formField, form] = choice("Form", [], "");
    const [unitField, unit] = choice("Unit", Object.entries(UNITS), named(Object.keys(UNITS), state.get("unit", "macs")));
    const asked = state.get("with", USUAL.join("_")).split("_");
    const boxes = Object.fromEntries(Object.keys(SWITCHES).map((name) =>
      [name, make("input", { type: "checkbox", checked: asked.includes(name) })]));
    const rows = Object.entries(SWITCHES).map(([name, words]) => field(words, boxes[name]));
    for (const row of rows) row.classList.add("convention-switch");
    const says = say(), printed = make("div"), parts = make("div"), found = new Set();
    root.append(make("div", { className: "live-controls" }, networkField, formField, unitField),
      make("fieldset", { className: "convention-switches" }, make("legend", { textContent: "Besides the convolutions, count" }), ...rows),
      says, printed, parts);
    let at = Number(state.get("form", 0));

    const draw = () => {
      const network = networks.find(({ name }) => name === chosen.value);
      at = at in network.forms ? at : 0;
      form.replaceChildren(...network.forms.map(({ words }, value) => make("option", { value, textContent: words })));
      form.value = at;
      const current = network.forms[at], on = Object.keys(SWITCHES).filter((name) => boxes[name].checked);
      const held = pieces(current, unit.value, on), total = count(current, unit.value, on);
      rows[Object.keys(SWITCHES).indexOf("heads")].hidden = !current.trained;
      const hits = network.printed.filter((figure) => hit(total, figure));
      for (const figure of hits) found.add(`${network.name} ${figure.text}`);
      const billion = (digits) => (total / 1e9).toFixed(digits);
      says.textContent = `${shown(total)} ${unit.value === "macs" ? "multiply-adds" : "operations"}: ${billion(3)} billion. `
        + (hits.length ? `It gives ${hits.map((figure) => `${short(figure)} (${figure.source}, ${hit(total, figure)})`).join(" and ")}.`
          : "It gives none of the printed figures below.");
      printed.replaceChildren(table("Printed figures to hit", [["printed", "source", "this count gives it", "hit so far", "can be hit here"],
        ...network.printed.map((figure) => [short(figure), figure.source,
          hit(total, figure) ?? `no, ${away(total, figure)}`,
          found.has(`${network.name} ${figure.text}`) ? "yes" : "not yet", reachable(network, figure) ? "yes" : "no"])]));
      parts.replaceChildren(table("What the count holds", [["part", "count", "share"],
        ...Object.entries(held).map(([name, part]) => [name === "conv" ? "convolutions" : PARTS[name], shown(part),
          `${(100 * part / total).toFixed(2)}%`])]));
      state.set("network", network.name, "resnet50");
      state.set("form", at, 0);
      state.set("unit", unit.value, "macs");
      state.set("with", on.join("_"), USUAL.join("_"));
    };
    chosen.addEventListener("change", () => { at = 0; });
    form.addEventListener("change", () => { at = Number(form.value); });
    root.addEventListener("change", draw);
    draw();
  };

  course.convention = { count, hit, reachable, SWITCHES, UNITS };
  course.piece("convention", build, "conventions");
})();
