// Draw a digit: strokes become an image, and LeNet-5 shows what each of its layers makes of it.
(() => {
  "use strict";
  const { make, choice, slider, say, table, load } = course;
  const { image, shifted, write, read, EXAMPLES, SIDE, GRID } = course.ink;

  const SETS = { mnist: "60,000 digits of MNIST", shifted: "the same, each moved at random", digits: "1,437 small digits" };
  const LAYERS = { c1: "C1: 6 maps of 28x28", s2: "S2: 6 maps of 14x14", c3: "C3: 16 maps of 10x10", s4: "S4: 16 maps of 5x5" };
  const TEMPERATURES = [0.5, 1, 2, 4, 8], FURTHEST = 10, STEP = 4, NEAR = 3;
  const PAPER = 200; // pixels of the drawing's canvas

  const grey = (canvas, width, height, value) => {
    Object.assign(canvas, { width, height });
    const data = new ImageData(width, height);
    for (let at = 0; at < width * height; at += 1) {
      const shade = value(at % width, Math.floor(at / width));
      data.data.set([shade, shade, shade, 255], 4 * at);
    }
    canvas.getContext("2d").putImageData(data, 0, 0);
    return canvas;
  };
  const figure = (words, canvas, name) => make("figure", { className: `live-figure ${name}` }, canvas, make("figcaption", {}, words));

  // The maps of a layer in one picture: -1 is black, 1 is white.
  const maps = ({ channels, side, values }, words) => {
    const rows = channels > 8 ? 2 : 1, columns = channels / rows, cell = side + 1;
    const canvas = make("canvas", { role: "img", "aria-label": words });
    return grey(canvas, columns * cell - 1, rows * cell - 1, (x, y) => {
      if (x % cell === side || y % cell === side) return 128;
      const map = Math.floor(y / cell) * columns + Math.floor(x / cell);
      return 127.5 * (1 + values[(map * side + (y % cell)) * side + (x % cell)]);
    });
  };

  const percent = (share) => `${(100 * share).toFixed(share > 0.999 && share < 1 ? 3 : 1)}%`;

  const build = ({ root, state }) => {
    let strokes = read(state.get("ink", "")), pen = [GRID / 2, GRID / 2], down = false, turn = 0;
    const [exampleField, example] = choice("Drawn for you", [["", "nothing"],
      ...Object.keys(EXAMPLES).map((name) => [name, /\d/.test(name) ? `the digit ${name}` : `the letter ${name}`])], "");
    const [setField, set] = choice("Weights trained on", Object.entries(SETS), state.get("weights", "mnist"));
    if (!set.value) set.value = "mnist";
    const moves = ["right", "down"].map((name) =>
      slider(name, -FURTHEST, FURTHEST, state.get(name, 0), `Moved ${name}, pixels`));
    const [heatField, heat] = choice("Temperature", TEMPERATURES.map((value) => [value, value]), state.get("temperature", 1));
    if (!heat.value) heat.value = "1";
    const undo = make("button", { type: "button", textContent: "Take back a stroke" });
    const clear = make("button", { type: "button", textContent: "Clear" });
    const paper = make("canvas", { className: "digit-paper", width: PAPER, height: PAPER, tabIndex: 0, role: "application",
      "aria-label": "Paper: draw here. Arrow keys move the pen, the space bar puts it down and lifts it." });
    const penSays = make("p", { className: "live-says", "aria-live": "polite" }), says = say();
    const seen = make("div", { className: "digit-pictures" }), scores = make("div");
    root.append(
      make("div", { className: "digit-top" },
        make("div", {}, paper, penSays, make("div", { className: "live-controls" }, undo, clear)),
        make("div", {}, make("div", { className: "live-controls" }, exampleField, setField, heatField, ...moves.map((move) => move.field)),
          says)),
      seen, scores);

    const paint = () => {
      const context = paper.getContext("2d"), scale = PAPER / GRID;
      context.fillStyle = "#000";
      context.fillRect(0, 0, PAPER, PAPER);
      Object.assign(context, { strokeStyle: "#fff", fillStyle: "#fff", lineWidth: 12, lineCap: "round", lineJoin: "round" });
      for (const stroke of strokes) {
        context.beginPath();
        stroke.forEach(([x, y], at) => context[at ? "lineTo" : "moveTo"](x * scale, y * scale));
        if (stroke.length === 1) context.lineTo(stroke[0][0] * scale, stroke[0][1] * scale);
        context.stroke();
      }
      if (document.activeElement === paper) {
        context.strokeStyle = down ? "#ffd400" : "#3aa0ff";
        context.lineWidth = 2;
        context.strokeRect(pen[0] * scale - 5, pen[1] * scale - 5, 10, 10);
      }
    };

    const keep = () => {
      const text = write(strokes);
      example.value = Object.keys(EXAMPLES).find((name) => EXAMPLES[name] === text) ?? "";
      state.set("ink", text, "");
      state.set("weights", set.value, "mnist");
      state.set("temperature", heat.value, 1);
      for (const { name, number } of moves) state.set(name, number(), 0);
    };

    const draw = async () => {
      keep();
      paint();
      undo.disabled = clear.disabled = !strokes.length;
      const ticket = turn += 1;
      if (!strokes.length) {
        seen.replaceChildren();
        scores.replaceChildren();
        says.textContent = "Draw a digit, or choose one that is drawn for you.";
        return;
      }
      says.textContent = says.textContent || "The weights are on their way.";
      let data;
      try {
        data = await load(`lenet_${set.value}`);
      } catch (error) {
        says.textContent = `${error.message}.`;
        return;
      }
      if (ticket === turn) show(data);
    };

    const show = (data) => {
      const [right, below] = moves.map((move) => move.number()), temperature = Number(heat.value);
      const pixels = shifted(image(strokes), right, below), found = course.lenet.forward(data, pixels);
      const shares = course.lenet.softmax(found.scores, temperature);
      const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
      const moved = [right && `${Math.abs(right)} to the ${right > 0 ? "right" : "left"}`, below && `${Math.abs(below)} ${below > 0 ? "down" : "up"}`]
        .filter(Boolean).join(" and ");
      says.textContent = `LeNet-5 says ${order[0]}, with a probability of ${percent(shares[order[0]])}. Next: ${order[1]}, `
        + `${percent(shares[order[1]])}.${moved ? ` The drawing is moved by pixels: ${moved}.` : ""} Trained on ${SETS[set.value]}, `
        + `it gets ${percent(data.test_accuracy)} of its own test images right.`;
      const input = make("canvas", { role: "img", "aria-label": "The input: the drawing in 32x32 pixels" });
      grey(input, SIDE, SIDE, (x, y) => pixels[y * SIDE + x]);
      const f6 = { channels: 1, side: 0, values: found.f6 };
      const strip = make("canvas", { role: "img", "aria-label": "F6: 84 numbers" });
      grey(strip, 42, 2, (x, y) => 127.5 * (1 + f6.values[y * 42 + x]));
      seen.replaceChildren(figure("Input: 32x32", input, "digit-input"),
        ...Object.entries(LAYERS).map(([name, words]) => figure(words, maps(found[name], words), `digit-${name}`)),
        figure("F6: 84 numbers", strip, "digit-f6"));
      scores.replaceChildren(table("Ten scores, and the probabilities that softmax makes of them", [["digit", "score", "probability", "bar"],
        ...[...shares.keys()].map((digit) => [digit, found.scores[digit].toFixed(2).replace("-", "−"), percent(shares[digit]),
          make("meter", { min: 0, max: 1, value: shares[digit], "aria-label": `Probability of ${digit}` })])]),
      make("p", { className: "digit-origin" },
        `Weights: record ${data.record}, seed ${data.seed}, 16 bits, SHA-256 ${data.sha256.slice(0, 12)}….`));
    };

    const pointAt = ({ offsetX, offsetY }) =>
      [offsetX / paper.clientWidth, offsetY / paper.clientHeight].map((share) => Math.min(GRID - 1, Math.max(0, Math.round(share * GRID))));
    const far = (one, other) => Math.hypot(one[0] - other[0], one[1] - other[1]) >= NEAR;
    let drawing = false;
    paper.addEventListener("pointerdown", (event) => {
      drawing = true;
      paper.setPointerCapture(event.pointerId);
      strokes.push([pointAt(event)]);
      paint();
    });
    paper.addEventListener("pointermove", (event) => {
      const point = pointAt(event);
      if (!drawing || !far(point, strokes.at(-1).at(-1))) return;
      strokes.at(-1).push(point);
      paint();
    });
    for (const name of ["pointerup", "pointercancel"]) {
      paper.addEventListener(name, () => { if (drawing) { drawing = false; draw(); } });
    }
    const arrows = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    paper.addEventListener("keydown", (event) => {
      if (event.key === " ") {
        down = !down;
        if (down) strokes.push([[...pen]]);
      } else if (event.key in arrows) {
        pen = pen.map((value, axis) => Math.min(GRID - 1, Math.max(0, value + arrows[event.key][axis])));
        if (down) strokes.at(-1).push([...pen]);
      } else return;
      event.preventDefault();
      penSays.textContent = `The pen is ${down ? "down" : "up"}, at ${pen[0]} to the right and ${pen[1]} down of ${GRID}.`;
      draw();
    });
    for (const name of ["focus", "blur"]) paper.addEventListener(name, paint);
    undo.addEventListener("click", () => { strokes.pop(); down = false; draw(); });
    clear.addEventListener("click", () => { strokes = []; down = false; draw(); });
    example.addEventListener("change", () => { strokes = read(EXAMPLES[example.value] ?? ""); draw(); });
    for (const control of [set, heat, ...moves.map((move) => move.control)]) control.addEventListener("input", draw);
    draw();
  };

  course.piece("digit", build);
})();
