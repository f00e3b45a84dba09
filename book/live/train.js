// Train it here: the small network on the digits, step by step, with the knobs and the mistakes of the chapter.
(() => {
  "use strict";
  const { make, svg, choice, slider, say, table } = course;
  const { run, accuracy, dataOf } = course.trainer;

  const RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10], BATCHES = [1, 8, 32, 128, 1437], SEEDS = 10, MOST_EPOCHS = 60;
  const LOOPS = { right: "as it should be", keep: "gradients never cleared", sorted: "images sorted by class",
    twice: "softmax twice" };
  const WIDE = 360, HIGH = 200, LEFT = 40, RIGHT = 40, TOP = 10, BOTTOM = 32;

  // Loss on the left axis, accuracy on the right one, by epoch.
  const chart = (epochs, words) => {
    const last = Math.max(5, epochs.length), most = Math.max(2.5, ...epochs.map(({ loss }) => loss).filter(Number.isFinite));
    const x = (epoch) => LEFT + (WIDE - LEFT - RIGHT) * epoch / last;
    const y = (share) => HIGH - BOTTOM - (HIGH - TOP - BOTTOM) * Math.min(1, Math.max(0, share));
    const text = (words_, at, up, anchor) => svg("text", { x: at, y: up, "text-anchor": anchor }, words_);
    const line = (name, value) => svg("polyline", { class: `train-line train-${name}`,
      points: epochs.filter((epoch) => Number.isFinite(value(epoch)))
        .map((epoch, at) => `${x(at + 1).toFixed(1)},${y(value(epoch)).toFixed(1)}`).join(" ") });
    return svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": words, class: "train-chart" },
      ...[0, 0.5, 1].flatMap((share) => [svg("line", { x1: LEFT, x2: WIDE - RIGHT, y1: y(share), y2: y(share), class: "train-grid" }),
        text((share * most).toPrecision(2), LEFT - 5, y(share) + 4, "end"), text(`${100 * share}%`, WIDE - RIGHT + 4, y(share) + 4, "start")]),
      ...[0, Math.round(last / 2), last].map((epoch) => text(epoch, x(epoch), HIGH - BOTTOM + 14, "middle")),
      text("epoch", WIDE / 2, HIGH - 4, "middle"),
      line("loss", ({ loss }) => loss / most), line("accuracy", ({ right }) => right));
  };

  // The eight kernels: white is the largest weight in size, black its negative.
  const kernels = ({ kernels: weights }) => {
    const most = Math.max(...weights.map(Math.abs)) || 1, cell = 10;
    const squares = Array.from(weights, (weight, at) => {
      const kernel = Math.floor(at / 9), shade = Math.round(127.5 * (1 + weight / most));
      return svg("rect", { x: 35 * kernel + cell * (at % 3), y: cell * Math.floor(at / 3) % 30, width: cell, height: cell,
        fill: `rgb(${shade}, ${shade}, ${shade})` });
    });
    return svg("svg", { viewBox: "-1 -1 277 32", role: "img", class: "train-kernels",
      "aria-label": `The eight kernels; the largest weight is ${most.toFixed(2)} in size. Their numbers stand in a table below.` }, ...squares);
  };

  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  const number = (value) => (Number.isFinite(value) ? value.toFixed(3) : "no number");

  const build = ({ root, state }, digits) => {
    const data = dataOf(digits.train), test = dataOf(digits.test);
    const known = (name, list, usual) => (list.map(String).includes(state.get(name, usual)) ? state.get(name, usual) : String(usual));
    const rate = slider("rate", 0, RATES.length - 1, RATES.map(String).indexOf(known("rate", RATES, 0.1)), "Learning rate",
      (at) => RATES[at]);
    const [batchField, batch] = choice("Batch size", BATCHES.map((size) => [size, size === 1437 ? "1437, all" : size]), known("batch", BATCHES, 32));
    const [seedField, seed] = choice("Seed", Array.from({ length: SEEDS }, (_, at) => [at, at]), known("seed", [...Array(SEEDS).keys()], 0));
    const [loopField, loop] = choice("The loop", Object.entries(LOOPS), known("loop", Object.keys(LOOPS), "right"));
    const button = (textContent) => make("button", { type: "button", textContent });
    const one = button("One step"), epochButton = button("One epoch"), ten = button("Ten epochs"), again = button("Start again");
    const says = say(), view = make("div"), rows = make("div"), numbers = make("div"), earlier = make("div");
    root.append(make("div", { className: "live-controls" }, rate.field, batchField, seedField, loopField),
      make("div", { className: "live-controls" }, one, epochButton, ten, again), says, view, earlier,
      make("details", {}, make("summary", { textContent: "Every epoch as a table" }), rows),
      make("details", {}, make("summary", { textContent: "The kernels as a table" }), numbers));

    let current, epochs, sums, lastStep, before, runs = [];
    const settings = () => ({ rate: RATES[rate.number()], batch: Number(batch.value), seed: Number(seed.value), loop: loop.value });
    const begin = () => {
      current = run(data, settings());
      before = accuracy(current.net, test);
      [epochs, sums, lastStep] = [[], [], null];
    };
    // One step. At the end of an epoch its mean loss and the test accuracy are noted.
    const step = () => {
      lastStep = current.step();
      sums.push(lastStep.loss);
      if (!lastStep.ended) return;
      epochs.push({ loss: sums.reduce((a, b) => a + b) / sums.length, right: accuracy(current.net, test) });
      sums = [];
    };
    const through = (count) => {
      const goal = Math.min(MOST_EPOCHS, epochs.length + count);
      while (epochs.length < goal && (!lastStep || Number.isFinite(lastStep.loss))) step();
    };

    const draw = () => {
      const broken = lastStep && !Number.isFinite(lastStep.loss), full = epochs.length >= MOST_EPOCHS;
      for (const control of [one, epochButton, ten]) control.disabled = broken || full;
      says.textContent = !lastStep ? `Not trained yet: ${percent(before)} of the ${test.labels.length} test digits are right, by chance.`
        : broken ? `The loss is no number any more, in step ${lastStep.steps}: the weights have grown without bound. Start again.`
          : `Step ${lastStep.steps}, epoch ${lastStep.epoch}: the loss of the last batch was ${number(lastStep.loss)}. `
            + `${percent(accuracy(current.net, test))} of the test digits are right.${full ? ` ${MOST_EPOCHS} epochs are the most here.` : ""}`;
      const words = epochs.length ? `After ${epochs.length} epochs: mean loss ${number(epochs.at(-1).loss)}, test accuracy ${percent(epochs.at(-1).right)}.`
        : "No epoch is through yet.";
      view.replaceChildren(make("figure", { className: "live-figure" }, chart(epochs, words),
        make("figcaption", {}, "Solid: mean loss of the epoch, left axis. Dashed: test accuracy, right axis.")),
      make("figure", { className: "live-figure" }, kernels(current.net), make("figcaption", {}, "The eight kernels as they are now.")));
      rows.replaceChildren(table("By epoch", [["epoch", "mean loss", "test accuracy"],
        ...epochs.map(({ loss, right }, at) => [at + 1, number(loss), percent(right)])]));
      numbers.replaceChildren(table("The kernels, row by row", [["kernel", ...[1, 2, 3].flatMap((row) => [1, 2, 3].map((column) => `${row},${column}`))],
        ...Array.from({ length: 8 }, (_, kernel) => [kernel + 1,
          ...Array.from(current.net.kernels.slice(9 * kernel, 9 * kernel + 9), (weight) => weight.toFixed(3).replace("-", "−"))])]));
      earlier.replaceChildren(...(runs.length ? [table("Runs before this one", [["rate", "batch", "seed", "loop", "epochs", "mean loss", "test accuracy"], ...runs])] : []));
      const now = settings();
      state.set("rate", now.rate, 0.1);
      state.set("batch", now.batch, 32);
      state.set("seed", now.seed, 0);
      state.set("loop", now.loop, "right");
      state.set("epochs", epochs.length, 0);
    };

    let told = settings();
    const restart = () => {
      if (epochs.length) {
        runs = [...runs, [told.rate, told.batch, told.seed, LOOPS[told.loop], epochs.length, number(epochs.at(-1).loss), percent(epochs.at(-1).right)]];
      }
      told = settings();
      begin();
      draw();
    };
    one.addEventListener("click", () => { step(); draw(); });
    epochButton.addEventListener("click", () => { through(1); draw(); });
    ten.addEventListener("click", () => { through(10); draw(); });
    again.addEventListener("click", restart);
    for (const control of [rate.control, batch, seed, loop]) control.addEventListener("change", restart);
    begin();
    through(Math.max(0, Number(state.get("epochs", 0)) || 0));
    draw();
  };

  course.piece("train", build, "digits");
})();
