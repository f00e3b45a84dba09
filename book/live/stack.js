// Stack a network: layers added, removed and moved; for each its size, its cost and what it sees of the input.
(() => {
  "use strict";
  const { make, svg, field, choice, say, table } = course;
  const { KINDS, USUAL, usual, number, text, layerFrom, parse, write, measure, code } = course.network;

  const LABELS = { channels: "Channels", features: "Features", kernel: "Kernel", stride: "Stride", padding: "Padding",
    dilation: "Dilation", groups: "Groups", bias: "Bias", ceil: "Round up" };
  const counted = (count) => count.toLocaleString("en");
  const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
  const short = (value) => { const [high, wide] = pairOf(value); return high === wide ? String(high) : `${high}x${wide}`; };
  const pairOf = (value) => (Array.isArray(value) ? value : [value, value]);

  const described = (layer) => {
    const size = layer.channels ?? layer.features;
    const window_ = layer.kernel === undefined ? "" : ` ${text(pairOf(layer.kernel))}`;
    const stride = layer.kernel === undefined || short(layer.stride) === "1" ? "" : `, stride ${short(layer.stride)}`;
    return `${KINDS[layer.kind].words}${window_}${size === undefined ? "" : `, ${counted(size)}`}${stride}`;
  };

  // The input, and the field of a middle pixel of a layer's output, with its neighbour's to the right.
  const picture = (input, row) => {
    const [, height, width] = input, [, high, wide] = row.shape;
    const [size, jump, offset] = [row.field.size, row.field.jump, row.field.offset].map(pairOf);
    const at = [Math.floor((high - 1) / 2), Math.floor((wide - 1) / 2)];
    const first = at.map((pixel, axis) => offset[axis] + pixel * jump[axis] - (size[axis] - 1) / 2);
    const box = (name, dx = 0) => svg("rect", { class: name, x: first[1] + dx, y: first[0], width: size[1], height: size[0] });
    const left = Math.min(0, first[1]), top = Math.min(0, first[0]);
    const right = Math.max(width, first[1] + size[1] + (wide > 1 ? jump[1] : 0)), bottom = Math.max(height, first[0] + size[0]);
    const room = 0.02 * Math.max(right - left, bottom - top);
    const words = `The field of output pixel (${at.join(", ")}) is rows ${first[0]} to ${first[0] + size[0] - 1} and columns `
      + `${first[1]} to ${first[1] + size[1] - 1} of the input, which has rows 0 to ${height - 1} and columns 0 to ${width - 1}.`;
    const drawing = svg("svg", { role: "img", "aria-label": words, class: "stack-field",
      viewBox: [left - room, top - room, right - left + 2 * room, bottom - top + 2 * room].join(" ") },
    svg("rect", { class: "stack-input", x: 0, y: 0, width, height }), ...(wide > 1 ? [box("stack-next", jump[1])] : []), box("stack-seen"));
    return make("figure", { className: "live-figure" }, drawing, make("figcaption", {}, words + (wide > 1 ? " Dashed: its neighbour's." : "")));
  };

  const leftOver = (layer, row) => {
    const [down, across] = row.left, padding = pairOf(layer.padding);
    if (!down && !across) return "The windows reach the end of its padded input: all divides.";
    const beyond = [down, across].map((pixels, axis) => Math.max(0, pixels - padding[axis]));
    return `It does not divide: ${plural(down, "row")} and ${plural(across, "column")} of its padded input lie beyond the last `
      + `window, ${plural(beyond[0], "row")} and ${plural(beyond[1], "column")} of them not padding.`;
  };

  const build = ({ root, anchor, state }, presets) => {
    const start = state.get("network", "lenet5");
    let network, picked = Number(state.get("layer", 1)), problem = "";
    try {
      network = parse(presets[start]?.words ?? start);
    } catch (error) {
      problem = `The address holds no network: ${error.message}. `;
      network = parse(presets.lenet5.words);
    }
    let activation = state.get("activation", presets[start]?.activation ?? "ReLU");
    const [presetField, preset] = choice("Network",
      [...Object.entries(presets).map(([key, { title }]) => [key, title]), ["own", "your own"]], "own");
    const [kindField, kind] = choice("Layer", Object.entries(KINDS).map(([key, { words }]) => [key, words]), "conv");
    const input = make("input", { type: "text", size: 10, value: network.input.join("x") });
    const controls = Object.fromEntries(Object.keys(LABELS).map((name) => [name, typeof USUAL[name] === "boolean"
      ? make("input", { type: "checkbox" }) : make("input", { type: "text", inputMode: "numeric", size: 5 })]));
    const fields = Object.entries(LABELS).map(([name, words]) => field(words, controls[name]));
    const buttons = Object.fromEntries([["add", "Add a layer after it"], ["remove", "Remove it"], ["up", "Move it up"],
      ["down", "Move it down"]].map(([name, words]) => [name, make("button", { type: "button", textContent: words })]));
    const [activationField, activations] = choice("Activation", [["ReLU", "ReLU"], ["Tanh", "tanh"], ["none", "none"]], activation);
    const says = say(), rows = make("div"), view = make("div"), exported = make("pre", { tabIndex: 0 });
    const command = make("p");
    root.append(
      make("div", { className: "live-controls" }, presetField, field("Input: channels x height x width", input), activationField),
      rows,
      make("fieldset", {}, make("legend", { textContent: "The layer that is picked" }),
        make("div", { className: "live-controls" }, kindField, ...fields),
        make("div", { className: "live-controls" }, ...Object.values(buttons))),
      says, view, make("details", {}, make("summary", { textContent: "As code, and for course analyze" }), command, exported));

    const rowOf = (layer, row, at) => {
      const radio = make("input", { type: "radio", name: `${anchor}-layer`, value: at + 1, checked: at + 1 === picked });
      radio.addEventListener("change", () => { picked = at + 1; draw(); });
      const head = make("label", { className: "stack-layer" }, radio, ` ${at + 1} ${described(layer)}`);
      if (!row) return [head, "–", "–", "–", "–", "–", "–"];
      if (row.error) return [head, "does not fit", "–", "–", "–", "–", "–"];
      const left = row.left?.some(Boolean) ? text(row.left) : row.left ? "0" : "–";
      return [head, row.shape.join("x"), counted(row.params), counted(row.macs),
        row.field ? short(row.field.size) : "all", row.field ? short(row.field.jump) : "–", left];
    };

    const draw = (wrong = "") => {
      picked = Math.min(Math.max(1, picked), network.layers.length) || 0;
      const found = measure(network), layer = network.layers[picked - 1], row = found[picked - 1];
      const words = write(network);
      const known = Object.keys(presets).find((key) => presets[key].words === words && presets[key].activation === activation);
      const whole = found.length === network.layers.length && !found.at(-1)?.error;
      const sum = (name) => found.reduce((total, one) => total + (one[name] ?? 0), 0);
      const inside = rows.contains(document.activeElement);
      rows.replaceChildren(table("The network, layer by layer",
        [["layer", "output", "parameters", "multiply-adds", "field", "jump", "left over"],
          ...network.layers.map((one, at) => rowOf(one, found[at], at)),
          ["sum", "", ...(whole ? [counted(sum("params")), counted(sum("macs"))] : ["–", "–"]), "", "", ""]]));
      if (inside) rows.querySelector("input:checked")?.focus();
      preset.value = known ?? "own";
      activations.value = activation;
      input.value = network.input.join("x");
      if (layer) kind.value = layer.kind;
      Object.keys(LABELS).forEach((name, at) => {
        fields[at].hidden = !layer || !(name in layer);
        if (typeof USUAL[name] === "boolean") controls[name].checked = layer?.[name] ?? false;
        else controls[name].value = layer && name in layer ? text(layer[name]) : "";
      });
      buttons.remove.disabled = !layer;
      buttons.up.disabled = picked < 2;
      buttons.down.disabled = picked >= network.layers.length;
      const stopped = found.findIndex(({ error }) => error);
      const seen = row?.field ? `Layer ${picked}: one pixel of its output sees ${text(pairOf(row.field.size))} pixels of the `
        + `input, and neighbours are ${text(pairOf(row.field.jump))} apart. ${row.left ? leftOver(layer, row) : ""}`
        : row && !row.error ? `Layer ${picked}: every output sees the whole image.` : "";
      says.textContent = problem + (wrong ? `Not changed: ${wrong}. ` : "")
        + (stopped >= 0 ? `Layer ${stopped + 1} does not fit: ${found[stopped].error}.` : seen);
      view.replaceChildren(...(row?.field && row.shape.length === 3 ? [picture(network.input, row)] : []));
      exported.textContent = whole ? code(network, activation === "none" ? null : activation) : "A layer does not fit.";
      command.textContent = known ? `course analyze ${known}`
        : `Save this as my_network.py, then: course analyze my_network:network --input ${network.input.join("x")}`;
      state.set("network", known ?? words, "lenet5");
      state.set("activation", activation, presets[known]?.activation ?? "ReLU");
      state.set("layer", picked, 1);
      problem = "";
    };

    const change = (edit) => {
      const layers = network.layers.map((layer) => ({ ...layer }));
      try {
        const input_ = edit(layers) ?? network.input;
        network = parse(write({ input: input_, layers }));
        draw();
      } catch (error) {
        draw(error.message);
      }
    };
    preset.addEventListener("change", () => {
      if (!(preset.value in presets)) return draw();
      ({ activation } = presets[preset.value]);
      network = parse(presets[preset.value].words);
      picked = 1;
      return draw();
    });
    activations.addEventListener("change", () => { activation = activations.value; draw(); });
    input.addEventListener("change", () => change(() => parse(input.value).input));
    kind.addEventListener("change", () => change((layers) => {
      const fresh = { conv: "conv-8-k3", linear: "linear-10", max: "max-k2", avg: "avg-k2" };
      layers[picked - 1] = layerFrom(fresh[kind.value] ?? kind.value);
    }));
    for (const [name, control] of Object.entries(controls)) {
      control.addEventListener("change", () => change((layers) => {
        const layer = layers[picked - 1], followed = name === "kernel" && layer.kind !== "conv"
          && text(layer.stride) === text(usual(layer, "stride"));
        layer[name] = control.type === "checkbox" ? control.checked : number(control.value, LABELS[name]);
        if (followed) layer.stride = layer.kernel;
      }));
    }
    const move = (step) => change((layers) => {
      layers.splice(picked - 1 + step, 0, ...layers.splice(picked - 1, 1));
      picked += step;
    });
    buttons.up.addEventListener("click", () => move(-1));
    buttons.down.addEventListener("click", () => move(1));
    buttons.remove.addEventListener("click", () => change((layers) => { layers.splice(picked - 1, 1); }));
    buttons.add.addEventListener("click", () => change((layers) => {
      layers.splice(picked, 0, layerFrom("conv-8-k3"));
      picked += 1;
    }));
    draw();
  };

  course.piece("stack", build, "networks");
})();
