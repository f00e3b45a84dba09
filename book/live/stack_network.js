// Networks of the stacking piece: layers as short words, what each layer makes and costs, and the same as code.
//   1x32x32.conv-6-k5.avg-k2.linear-10     the input, then layers; k kernel, s stride, p padding, d dilation, g groups
(() => {
  "use strict";
  const A = course.arithmetic;

  const KINDS = {
    conv: { words: "conv", fields: ["channels", "kernel", "stride", "padding", "dilation", "groups", "bias"] },
    max: { words: "max pool", fields: ["kernel", "stride", "padding", "ceil"] },
    avg: { words: "avg pool", fields: ["kernel", "stride", "padding", "ceil"] },
    norm: { words: "batch norm", fields: [] },
    global: { words: "global avg pool", fields: [] },
    linear: { words: "linear", fields: ["features", "bias"] },
  };
  const LETTERS = { k: "kernel", s: "stride", p: "padding", d: "dilation", g: "groups" };
  const USUAL = { kernel: 3, padding: 0, dilation: 1, groups: 1, bias: true, ceil: false };

  const usual = (layer, name) => (name === "stride" ? (layer.kind === "conv" ? 1 : layer.kernel) : USUAL[name]);
  const same = (one, other) => String([one].flat()) === String([other].flat());

  // "5" -> 5 and "5x3" -> [5, 3]; what is neither is refused with its name.
  const number = (text, name = "a size") => {
    const trimmed = String(text).trim();
    if (!/^\d{1,7}([x×]\d{1,7})?$/.test(trimmed)) {
      throw new RangeError(`${name} must be a whole number, or two joined by x, got "${trimmed}"`);
    }
    const sides = trimmed.split(/[x×]/).map(Number);
    return sides.length === 2 ? sides : sides[0];
  };
  const text = (value) => [value].flat().join("x");

  const layerFrom = (word) => {
    const [kind, ...parts] = word.split("-");
    if (!(kind in KINDS)) throw new RangeError(`no layer is called "${kind}"; there are: ${Object.keys(KINDS).join(", ")}`);
    const layer = { kind };
    for (const name of KINDS[kind].fields) if (name !== "stride") layer[name] = USUAL[name];
    if (kind === "conv") layer.channels = number(parts.shift(), "channels");
    if (kind === "linear") layer.features = number(parts.shift(), "features");
    for (const part of parts) {
      const name = { nobias: "bias", ceil: "ceil" }[part] ?? LETTERS[part[0]];
      if (!KINDS[kind].fields.includes(name)) throw new RangeError(`${KINDS[kind].words} does not take "${part}"`);
      layer[name] = typeof USUAL[name] === "boolean" ? !USUAL[name] : number(part.slice(1), name);
    }
    if (KINDS[kind].fields.includes("stride")) layer.stride ??= usual(layer, "stride");
    return layer;
  };

  const wordOf = (layer) => {
    const size = layer.channels ?? layer.features;
    const parts = [layer.kind, ...(size === undefined ? [] : [text(size)])];
    for (const [letter, name] of Object.entries(LETTERS)) {
      const needed = name === "kernel" || !same(layer[name], usual(layer, name));
      if (KINDS[layer.kind].fields.includes(name) && needed) parts.push(letter + text(layer[name]));
    }
    if (layer.bias === false) parts.push("nobias");
    if (layer.ceil) parts.push("ceil");
    return parts.join("-");
  };

  const parse = (words) => {
    const [input, ...layers] = words.split(".").filter(Boolean);
    const shape = String(input).split("x").map((side) => number(side, "the input"));
    if (shape.length !== 3) throw new RangeError(`the input must be channels x height x width, got "${input}"`);
    return { input: shape, layers: layers.map(layerFrom) };
  };
  const write = ({ input, layers }) => [input.join("x"), ...layers.map(wordOf)].join(".");

  // What one layer makes of a shape [channels, height, width] or [features], and what it costs.
  const through = (layer, before) => {
    const [channels, height, width] = before.shape;
    const features = before.shape.reduce((product, size) => product * size);
    if (layer.kind === "linear") {
      const options = { bias: layer.bias };
      return { shape: [layer.features], params: A.linearParams(features, layer.features, options),
        macs: A.linearMacs(features, layer.features), field: null, left: null };
    }
    if (before.shape.length !== 3) throw new RangeError(`${KINDS[layer.kind].words} needs an image, and here are ${features} features`);
    if (layer.kind === "norm") return { ...before, params: 2 * channels, macs: 0, left: null };
    const size = [height, width];
    if (layer.kind === "global") {
      return { shape: [channels, 1, 1], params: 0, macs: 0, field: A.through(before.field, size, size), left: null };
    }
    const { kernel, stride, padding, dilation = 1, groups } = layer;
    const out = layer.kind === "conv" ? A.convOutputSize(size, kernel, stride, padding, dilation)
      : A.poolOutputSize(size, kernel, stride, padding, 1, layer.ceil);
    const side = (value, axis) => [value].flat().at(axis % [value].flat().length);
    // Rows and columns of the padded input that lie beyond the last window.
    const left = size.map((pixels, axis) => Math.max(0, pixels + 2 * side(padding, axis)
      - (out[axis] - 1) * side(stride, axis) - A.effectiveSize(side(kernel, axis), side(dilation, axis))));
    const field = A.through(before.field, kernel, stride, padding, dilation);
    if (layer.kind !== "conv") return { shape: [channels, ...out], params: 0, macs: 0, field, left };
    return { shape: [layer.channels, ...out], field, left,
      params: A.convParams(channels, layer.channels, kernel, { groups, bias: layer.bias }),
      macs: A.convMacs(channels, layer.channels, kernel, out, { groups }) };
  };

  // One row a layer, up to the first that cannot follow; that row holds the reason as `error`.
  const measure = ({ input, layers }) => {
    let before = { shape: input, field: A.inputPixel };
    const rows = [];
    for (const layer of layers) {
      try {
        A.convOutputSize(input.slice(1), 1); // the input itself is sound
        rows.push(before = through(layer, before));
      } catch (error) {
        rows.push({ error: error.message });
        break;
      }
    }
    return rows;
  };

  // The network as a module of Python: the activation stands after each weighted layer but the last.
  const code = (network, activation) => {
    const python = (value) => (Array.isArray(value) ? `(${value.join(", ")})` : value);
    const { layers } = network, rows = measure(network), lines = [];
    const last = layers.findLastIndex(({ kind }) => kind === "conv" || kind === "linear");
    layers.forEach((layer, at) => {
      const { shape } = at ? rows[at - 1] : { shape: network.input };
      const { kind, kernel, bias } = layer;
      const options = ["stride", "padding", "dilation", "groups"]
        .filter((name) => name in layer && !same(layer[name], usual(layer, name)))
        .map((name) => `, ${name}=${python(layer[name])}`).join("") + (layer.ceil ? ", ceil_mode=True" : "");
      const noBias = bias === false ? ", bias=False" : "";
      if (kind === "linear" && shape.length === 3) lines.push("nn.Flatten()");
      const features = shape.reduce((product, size) => product * size);
      lines.push({
        conv: `nn.Conv2d(${shape[0]}, ${layer.channels}, ${python(kernel)}${options}${noBias})`,
        max: `nn.MaxPool2d(${python(kernel)}${options})`, avg: `nn.AvgPool2d(${python(kernel)}${options})`,
        norm: `nn.BatchNorm2d(${shape[0]})`, global: "nn.AdaptiveAvgPool2d(1)",
        linear: `nn.Linear(${features}, ${layer.features}${noBias})`,
      }[kind]);
      const weighted = kind === "norm" || ((kind === "conv" || kind === "linear") && layers[at + 1]?.kind !== "norm");
      if (activation && weighted && at < last) lines.push(`nn.${activation}()`);
    });
    const body = lines.map((line) => `        ${line},\n`).join("");
    return `from torch import nn\n\n\ndef network():\n    return nn.Sequential(\n${body}    )\n`;
  };

  course.network = { KINDS, USUAL, usual, number, text, layerFrom, parse, write, measure, code };
})();
