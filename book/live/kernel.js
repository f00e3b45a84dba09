// The kernel lab: nine weights slide over a picture. Whole weights on whole grey values: every sum is exact.
(() => {
  "use strict";
  const { make, svg, field, choice, slider, table, say } = course;

  const PRESETS = {
    vertical: ["vertical edges", [-1, 0, 1, -1, 0, 1, -1, 0, 1]],
    horizontal: ["horizontal edges", [-1, -1, -1, 0, 0, 0, 1, 1, 1]],
    outline: ["outlines", [-1, -1, -1, -1, 8, -1, -1, -1, -1]],
    sharpen: ["sharper", [0, -1, 0, -1, 5, -1, 0, -1, 0]],
    blur: ["blur", [1, 1, 1, 1, 1, 1, 1, 1, 1]],
    identity: ["the picture itself", [0, 0, 0, 0, 1, 0, 0, 0, 0]],
    counting: ["1 to 9", [1, 2, 3, 4, 5, 6, 7, 8, 9]],
  };
  const LARGEST = 99; // weight
  const SPOT = { row: 36, column: 50 }; // on the map, at the start
  const ROWS = ["top", "middle", "bottom"], COLUMNS = ["left", "middle", "right"];

  // The nine pixels below the kernel for one output pixel. A place in the padding has the value 0.
  const windowAt = ({ height, width, pixels }, { stride, padding, dilation }, i, j) => [...Array(9).keys()].map((tap) => {
    const row = i * stride - padding + Math.floor(tap / 3) * dilation;
    const column = j * stride - padding + (tap % 3) * dilation;
    const inside = row >= 0 && row < height && column >= 0 && column < width;
    return { row, column, inside, value: inside ? pixels[row * width + column] : 0 };
  });

  // The feature map of a picture { height, width, pixels }: at each place the sum of weights times pixels.
  const map = (picture, weights, options) => {
    const { stride, padding, dilation } = options;
    const [height, width] = course.arithmetic.convOutputSize(
      [picture.height, picture.width], 3, stride, padding, dilation);
    const sums = new Array(height * width).fill(0);
    for (let tap = 0; tap < 9; tap += 1) {
      if (!weights[tap]) continue;
      for (let i = 0; i < height; i += 1) {
        const row = i * stride - padding + Math.floor(tap / 3) * dilation;
        if (row < 0 || row >= picture.height) continue;
        for (let j = 0; j < width; j += 1) {
          const column = j * stride - padding + (tap % 3) * dilation;
          if (column < 0 || column >= picture.width) continue;
          sums[i * width + j] += weights[tap] * picture.pixels[row * picture.width + column];
        }
      }
    }
    return { height, width, sums };
  };

  // Which rows and columns some window reads, and how many pixels none reads. A weight of 0 reads too.
  const reading = (picture, output, { stride, padding, dilation }) => {
    const along = (size, outputs) => {
      const read = new Array(size).fill(false);
      for (let i = 0; i < outputs; i += 1) {
        for (let tap = 0; tap < 3; tap += 1) {
          const at = i * stride - padding + tap * dilation;
          if (at >= 0 && at < size) read[at] = true;
        }
      }
      return read;
    };
    const rows = along(picture.height, output.height), columns = along(picture.width, output.width);
    const read = rows.filter(Boolean).length * columns.filter(Boolean).length;
    return { rows, columns, unread: picture.height * picture.width - read };
  };

  const pictures = {
    dot: () => ({ height: 9, width: 9, pixels: Array.from({ length: 81 }, (_, at) => (at === 40 ? 1 : 0)) }),
    photograph: ({ height, width, pixels }) =>
      ({ height, width, pixels: Array.from(atob(pixels), (byte) => byte.charCodeAt(0)) }),
  };

  // A canvas of grey values is only written, never read: browsers that guard canvases do not disturb it.
  const paint = (canvas, { height, width }, colour) => {
    Object.assign(canvas, { width, height });
    const image = new ImageData(width, height);
    for (let at = 0; at < height * width; at += 1) image.data.set([...colour(at), 255], 4 * at);
    canvas.getContext("2d").putImageData(image, 0, 0);
  };
  const outlined = (height, width, ...boxes) => svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    ...boxes.flatMap(([y, x, high, wide]) => ["kernel-halo", "kernel-line"].map((name) =>
      svg("rect", { x, y, width: wide, height: high, class: name }))));
  const framed = (words, canvas, over) =>
    make("figure", { className: "live-figure" }, make("div", { className: "kernel-picture" }, canvas, over), make("figcaption", {}, words));
  const signed = (number) => number.toLocaleString("en").replace("-", "−");

  const build = ({ root, state }, photograph) => {
    const first = state.get("weights", PRESETS.vertical[1].join("_")).split("_");
    const cells = [...Array(9).keys()].map((at) => make("input", {
      type: "number", min: -LARGEST, max: LARGEST, step: 1, required: true, value: first[at] ?? "",
      "aria-label": `Weight, ${ROWS[Math.floor(at / 3)]} ${COLUMNS[at % 3]}`,
    }));
    const named = Object.entries(PRESETS).map(([key, [words]]) => [key, words]);
    const [presetField, preset] = choice("Kernel", [...named, ["own", "your own"]], "own");
    const [pictureField, chosen] = choice("Picture", [["photograph", "photograph"], ["dot", "one bright pixel"]],
      state.get("picture", "photograph"));
    const turn = make("button", { type: "button", textContent: "Turn by half a turn" });
    const sliders = [["stride", 1, 8], ["padding", 0, 8], ["dilation", 1, 8]]
      .map(([name, least, most]) => slider(name, least, most, state.get(name, least)));
    const spot = Object.entries(SPOT).map(([name, usual]) =>
      make("input", { type: "number", min: 0, step: 1, required: true, value: state.get(name, usual) }));
    const show = make("div", { className: "kernel-pictures", tabIndex: 0, role: "application",
      "aria-label": "The window on the picture: the arrow keys move it" });
    const says = say(), products = make("div");
    root.append(
      make("div", { className: "live-controls" }, presetField, pictureField,
        make("fieldset", {}, make("legend", { textContent: "Weights" }), make("div", { className: "kernel-grid" }, ...cells)),
        turn, ...sliders.map(({ field: whole }) => whole)),
      show, make("div", { className: "live-controls" }, field("Row of the map", spot[0]), field("Column of the map", spot[1])),
      says, products);

    let size = [1, 1];
    const draw = () => {
      const weights = cells.map((cell) => cell.valueAsNumber);
      const options = Object.fromEntries(sliders.map(({ name, number }) => [name, number()]));
      const picture = pictures[chosen.value](photograph);
      preset.value = Object.keys(PRESETS).find((key) => PRESETS[key][1].join() === weights.join()) ?? "own";
      show.replaceChildren();
      products.replaceChildren();
      if (!cells.every((cell) => cell.checkValidity())) {
        says.textContent = `Each weight must be a whole number from −${LARGEST} to ${LARGEST}.`;
        return;
      }
      let output;
      try {
        output = map(picture, weights, options);
      } catch (error) {
        says.textContent = error.message;
        return;
      }
      size = [output.height, output.width];
      spot.forEach((control, axis) => {
        control.max = size[axis] - 1;
        control.value = Math.min(Math.max(0, Math.round(control.valueAsNumber) || 0), size[axis] - 1);
      });
      const [i, j] = spot.map((control) => control.valueAsNumber);
      show.append(...drawn(picture, output, options, i, j));
      const under = windowAt(picture, options, i, j);
      const parts = under.map(({ value, inside }, at) =>
        `${signed(weights[at])} × ${inside ? value : "0 (padding)"} = ${signed(weights[at] * value)}`);
      products.append(table("The window: weight × pixel = product",
        [["row", ...COLUMNS], ...ROWS.map((name, at) => [name, ...parts.slice(3 * at, 3 * at + 3)])]));
      const { unread } = reading(picture, output, options);
      const all = picture.height * picture.width;
      says.textContent = `Row ${i}, column ${j} of the map is ${signed(output.sums[i * output.width + j])}, the sum of nine `
        + `products. The picture is ${picture.height}x${picture.width}, the map ${output.height}x${output.width}. `
        + (unread ? `${signed(unread)} of ${signed(all)} pixels (${(100 * unread / all).toFixed(1)}%) are never read; they `
          + "are marked in the picture." : "Every pixel is read.");
      state.set("weights", weights.join("_"), PRESETS.vertical[1].join("_"));
      state.set("picture", chosen.value, "photograph");
      for (const { name, number, least } of sliders) state.set(name, number(), least);
      state.set("row", i, SPOT.row);
      state.set("column", j, SPOT.column);
    };

    const drawn = (picture, output, options, i, j) => {
      const { rows, columns } = reading(picture, output, options);
      const top = picture.pixels.reduce((most, value) => Math.max(most, value), 0);
      const before = make("canvas", { role: "img", "aria-label": `The picture, ${picture.height}x${picture.width}` });
      paint(before, picture, (at) => {
        const grey = 255 * picture.pixels[at] / top;
        const read = rows[Math.floor(at / picture.width)] && columns[at % picture.width];
        return read ? [grey, grey, grey] : [255, 0.7 * grey + 40, 0];
      });
      const least = output.sums.reduce((a, b) => Math.min(a, b)), most = output.sums.reduce((a, b) => Math.max(a, b));
      const after = make("canvas", { role: "img", "aria-label": `The map, ${output.height}x${output.width}` });
      paint(after, output, (at) => Array(3).fill(most > least ? 255 * (output.sums[at] - least) / (most - least) : 127));
      const reach = course.arithmetic.effectiveSize(3, options.dilation);
      const corner = [i * options.stride - options.padding, j * options.stride - options.padding];
      return [
        framed("The picture and the window", before, outlined(picture.height, picture.width, [...corner, reach, reach])),
        framed(`The map: black is ${signed(least)}, white is ${signed(most)}`, after,
          outlined(output.height, output.width, [i, j, 1, 1])),
      ];
    };

    preset.addEventListener("change", () => {
      (PRESETS[preset.value]?.[1] ?? []).forEach((weight, at) => { cells[at].value = weight; });
    });
    turn.addEventListener("click", () => {
      const turned = cells.map((cell) => cell.value).reverse();
      cells.forEach((cell, at) => { cell.value = turned[at]; });
      draw();
    });
    const steps = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [1, -1], ArrowRight: [1, 1] };
    show.addEventListener("keydown", (event) => {
      const [axis, step] = steps[event.key] ?? [];
      if (axis === undefined) return;
      event.preventDefault();
      spot[axis].value = spot[axis].valueAsNumber + step;
      draw();
    });
    root.addEventListener("change", ({ target }) => { if (target.type !== "range") draw(); });
    root.addEventListener("input", ({ target }) => { if (target.type === "range") draw(); });
    draw();
  };

  course.kernel = { map, reading, windowAt, PRESETS, pictures };
  course.piece("kernel", build, "photograph");
})();
