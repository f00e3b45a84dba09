// Depth and seeds: the curves of recorded runs, plain and residual by depth, one seed or all.
(() => {
  "use strict";
  const { make, svg, choice, slider, say, table } = course;

  const CURVES = { train_loss: "training loss", test_loss: "test loss",
    train_accuracy: "training accuracy", test_accuracy: "test accuracy" };
  const FAMILY = "family"; // stands for the plain and the residual networks together
  const WIDE = 360, HIGH = 240, LEFT = 46, RIGHT = 10, TOP = 10, BOTTOM = 34;

  const loss = (curve) => curve.endsWith("loss");
  const written = (curve, value) => {
    if (!loss(curve)) return `${(100 * value).toFixed(1)}%`;
    return value >= 0.1 ? value.toFixed(2) : value.toPrecision(2);
  };

  // Marks of an axis: powers of ten for a loss, quarters for an accuracy.
  const scale = (curve, values) => {
    if (!loss(curve)) return { from: 0, to: 1, of: (value) => value, marks: [0, 0.25, 0.5, 0.75, 1] };
    const of = (value) => Math.log10(Math.max(value, 1e-6));
    const from = Math.floor(of(Math.min(...values))), to = Math.max(from + 1, Math.ceil(of(Math.max(...values))));
    return { from, to, of, marks: Array.from({ length: to - from + 1 }, (_, at) => 10 ** (from + at)) };
  };

  // The lines of one position: { label, name of the style, values }.
  const linesOf = (records, curve, seed) => records.flatMap((record) => record.runs
    .filter((run) => seed === "all" || String(run.seed) === seed)
    .map((run) => ({ record, run, style: record.family ?? "single", values: run[curve] })));

  const drawing = (lines, curve, words) => {
    const { from, to, of, marks } = scale(curve, lines.flatMap(({ values }) => values));
    const epochs = Math.max(...lines.map(({ values }) => values.length));
    const x = (epoch) => LEFT + (WIDE - LEFT - RIGHT) * (epoch - 1) / Math.max(1, epochs - 1);
    const y = (value) => HIGH - BOTTOM - (HIGH - TOP - BOTTOM) * (of(value) - from) / (to - from);
    const text = (words_, attributes) => svg("text", attributes, words_);
    const steps = Math.ceil(epochs / 10);
    const named = [...Array(epochs).keys()].map((at) => at + 1).filter((epoch) => (epoch - 1) % steps === 0);
    return svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": words, class: "depth-chart" },
      ...marks.flatMap((mark) => [
        svg("line", { x1: LEFT, x2: WIDE - RIGHT, y1: y(mark), y2: y(mark), class: "depth-grid" }),
        text(loss(curve) ? mark.toLocaleString("en", { maximumFractionDigits: 6 }) : `${100 * mark}%`,
          { x: LEFT - 5, y: y(mark) + 4, "text-anchor": "end" })]),
      ...named.map((epoch) => text(epoch, { x: x(epoch), y: HIGH - BOTTOM + 15, "text-anchor": "middle" })),
      text("epoch", { x: (LEFT + WIDE - RIGHT) / 2, y: HIGH - 4, "text-anchor": "middle" }),
      ...lines.map(({ style, values }) => svg("polyline", { class: `depth-line depth-${style}`,
        points: values.map((value, at) => `${x(at + 1).toFixed(2)},${y(value).toFixed(2)}`).join(" ") })));
  };

  const ends = (lines, curve, written_) => {
    const found = new Map();
    for (const { record, values } of lines) found.set(record, [...(found.get(record) ?? []), values.at(-1)]);
    return [...found].map(([record, values]) => {
      const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => written_(curve, value));
      return `${record.network} ${least === most ? least : `${least} to ${most}`}`;
    }).join(", ");
  };

  const build = ({ root, state }, records) => {
    const family = records.filter(({ depth }) => depth);
    const depths = [...new Set(family.map(({ depth }) => depth))].sort((a, b) => a - b);
    const others = records.filter(({ depth }) => !depth).map(({ name }) => [name, name]);
    const [shownField, shown] = choice("Networks", [[FAMILY, "plain and residual, by depth"], ...others],
      state.get("networks", FAMILY));
    if (!shown.value) shown.value = FAMILY;
    const first = Math.max(0, depths.indexOf(Number(state.get("depth", depths[0]))));
    const depth = slider("depth", 0, depths.length - 1, first, "Depth", (at) => `${depths[at]} layers`);
    const [curveField, curve] = choice("Curve", Object.entries(CURVES), state.get("curve", "train_loss"));
    if (!curve.value) curve.value = "train_loss";
    const [seedField, seed] = choice("Runs", [], "");
    const says = say(), view = make("div"), last = make("div"), all = make("div");
    root.append(make("div", { className: "live-controls" }, shownField, depth.field, curveField, seedField),
      says, view, last, make("details", {}, make("summary", { textContent: "Every epoch as a table" }), all));
    let wanted = state.get("seed", "0");

    const draw = () => {
      const layers = depths[depth.number()];
      const chosen = shown.value === FAMILY ? family.filter((record) => record.depth === layers)
        : records.filter(({ name }) => name === shown.value);
      const seeds = [...new Set(chosen.flatMap(({ runs }) => runs.map((run) => String(run.seed))))];
      depth.field.hidden = shown.value !== FAMILY;
      seed.replaceChildren(...seeds.map((value) => make("option", { value, textContent: `seed ${value} alone` })),
        make("option", { value: "all", textContent: "all seeds" }));
      if (wanted !== "all" && !seeds.includes(wanted)) [wanted] = seeds;
      seed.value = wanted;
      const lines = linesOf(chosen, curve.value, wanted), epochs = Math.max(...lines.map(({ values }) => values.length));
      const words = `${CURVES[curve.value]} after ${epochs} epochs: ${ends(lines, curve.value, written)}.`;
      says.textContent = `${words[0].toUpperCase()}${words.slice(1)} ${wanted === "all" ? `${seeds.length} runs each.`
        : "One run each. What will the other seeds give? Guess before you show all."}`;
      const families = new Set(lines.map(({ style }) => style));
      view.replaceChildren(make("figure", { className: "live-figure" }, drawing(lines, curve.value, says.textContent),
        make("figcaption", {}, families.has("plain") ? "Solid: residual. Dashed: plain. One line is one run."
          : "One line is one run.")));
      last.replaceChildren(table("After the last epoch", [["run", ...Object.values(CURVES)],
        ...lines.map(({ record, run }) => [`${record.network}, seed ${run.seed}`,
          ...Object.keys(CURVES).map((name) => written(name, run[name].at(-1)))])]));
      all.replaceChildren(table(`By epoch: ${CURVES[curve.value]}`,
        [["epoch", ...lines.map(({ record, run }) => `${record.network}, seed ${run.seed}`)],
          ...Array.from({ length: epochs }, (_, at) =>
            [at + 1, ...lines.map(({ values }) => (at in values ? written(curve.value, values[at]) : "–"))])]));
      state.set("networks", shown.value, FAMILY);
      state.set("depth", layers, depths[0]);
      state.set("curve", curve.value, "train_loss");
      state.set("seed", wanted, "0");
    };
    seed.addEventListener("change", () => { wanted = seed.value; });
    root.addEventListener("change", ({ target }) => { if (target !== depth.control) draw(); });
    depth.control.addEventListener("input", draw);
    draw();
  };

  course.depth = { linesOf, scale, drawing };
  course.piece("depth", build, "runs");
})();
