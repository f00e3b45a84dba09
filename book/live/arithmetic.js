// Sizes, counts and receptive fields of layers: what course_lib.arithmetic computes and refuses, with the same words.
// A value is a whole number, or a pair [height, width]; where one argument is a pair, so is the result.
(() => {
  "use strict";

  const shown = (value) => (Array.isArray(value) ? `(${value.join(", ")})` : String(value));
  const refuse = (words) => { throw new RangeError(words); };

  const one = (name, value, least) =>
    (Number.isSafeInteger(value) && value >= least ? value
      : refuse(`${name} must be an integer >= ${least}, got ${name}=${shown(value)}`));

  const oneOrPair = (name, value, least) => {
    const sides = Array.isArray(value) && value.length === 2 ? value : [value];
    const sound = sides.every((side) => Number.isSafeInteger(side) && side >= least);
    return sound ? value : refuse(`${name} must be an integer >= ${least} or a pair of them, got ${name}=${shown(value)}`);
  };

  // A count beyond 2^53 is no longer exact here, so it is refused. Python has no such limit.
  const exact = (count) => (Number.isSafeInteger(count) ? count : refuse("the count is too large for this page"));

  const along = (axis, index, rule, values) => {
    try {
      return rule(...values.map((value) => (Array.isArray(value) ? value[index] : value)));
    } catch (error) {
      return refuse(`${axis}: ${error.message}`);
    }
  };
  const perAxis = (rule, ...values) =>
    (values.some(Array.isArray) ? [along("height", 0, rule, values), along("width", 1, rule, values)] : rule(...values));

  const window_ = (kernelSize, stride, padding, dilation) => [
    oneOrPair("kernel_size", kernelSize, 1), oneOrPair("stride", stride, 1),
    oneOrPair("padding", padding, 0), oneOrPair("dilation", dilation, 1)];

  const effectiveSize = (kernelSize, dilation) => dilation * (kernelSize - 1) + 1;

  const convSize = (size, kernel, stride, padding, dilation) => {
    const effective = effectiveSize(kernel, dilation), padded = size + 2 * padding;
    if (effective > padded) {
      refuse(`kernel does not fit: effective size ${effective} > padded input ${padded} `
        + `(kernel_size=${kernel}, dilation=${dilation}, padding=${padding})`);
    }
    return Math.floor((padded - effective) / stride) + 1;
  };

  const poolSize = (size, kernel, stride, padding, dilation, ceilMode) => {
    if (padding > Math.floor(kernel / 2)) {
      refuse(`padding must be at most half of kernel_size, got padding=${padding} (kernel_size=${kernel})`);
    }
    if (!ceilMode) return convSize(size, kernel, stride, padding, dilation);
    const effective = effectiveSize(kernel, dilation), reach = size + 2 * padding + stride - 1;
    if (effective > reach) {
      refuse(`kernel does not fit: effective size ${effective} > padded input + stride - 1 = ${reach} `
        + `(kernel_size=${kernel}, dilation=${dilation}, padding=${padding}, stride=${stride}, ceil_mode=True)`);
    }
    const last = Math.floor((reach - effective) / stride);
    return last * stride < size + padding ? last + 1 : last;
  };

  const convOutputSize = (inputSize, kernelSize, stride = 1, padding = 0, dilation = 1) => {
    const size = oneOrPair("input_size", inputSize, 1);
    return perAxis(convSize, size, ...window_(kernelSize, stride, padding, dilation));
  };

  const poolOutputSize = (inputSize, kernelSize, stride = null, padding = 0, dilation = 1, ceilMode = false) => {
    const size = oneOrPair("input_size", inputSize, 1);
    return perAxis(poolSize, size, ...window_(kernelSize, stride ?? kernelSize, padding, dilation), ceilMode);
  };

  const area = (name, value) => {
    const sides = oneOrPair(name, value, 1);
    return Array.isArray(sides) ? sides[0] * sides[1] : sides * sides;
  };

  const weights = (inChannels, outChannels, kernelSize, groups) => {
    one("in_channels", inChannels, 1);
    one("out_channels", outChannels, 1);
    const size = area("kernel_size", kernelSize);
    one("groups", groups, 1);
    for (const [name, channels] of [["in_channels", inChannels], ["out_channels", outChannels]]) {
      if (channels % groups) refuse(`${name} must be divisible by groups, got ${name}=${channels} (groups=${groups})`);
    }
    return outChannels * (inChannels / groups) * size;
  };

  const convParams = (inChannels, outChannels, kernelSize, { groups = 1, bias = true } = {}) =>
    exact(weights(inChannels, outChannels, kernelSize, groups) + (bias ? outChannels : 0));

  const convMacs = (inChannels, outChannels, kernelSize, outputSize, { groups = 1 } = {}) =>
    exact(weights(inChannels, outChannels, kernelSize, groups) * area("output_size", outputSize));

  const linearMacs = (inFeatures, outFeatures) =>
    exact(one("in_features", inFeatures, 1) * one("out_features", outFeatures, 1));

  const linearParams = (inFeatures, outFeatures, { bias = true } = {}) =>
    exact(linearMacs(inFeatures, outFeatures) + (bias ? outFeatures : 0));

  // The field of an output pixel, { size, jump, offset }, after one more window. Offsets are whole or halves: exact.
  const inputPixel = { size: 1, jump: 1, offset: 0 };
  const grown = (size, jump, offset, kernel, stride, padding, dilation) => {
    const steps = effectiveSize(kernel, dilation) - 1;
    return { size: exact(size + steps * jump), jump: exact(jump * stride), offset: offset + (steps / 2 - padding) * jump };
  };
  const through = ({ size, jump, offset }, kernelSize, stride = 1, padding = 0, dilation = 1) => {
    const field = perAxis(grown, size, jump, offset, ...window_(kernelSize, stride, padding, dilation));
    if (!Array.isArray(field)) return field;
    const [height, width] = field;
    const pair = (name) => [height[name], width[name]];
    return { size: pair("size"), jump: pair("jump"), offset: pair("offset") };
  };

  course.arithmetic = {
    convOutputSize, poolOutputSize, convParams, convMacs, linearParams, linearMacs, effectiveSize, inputPixel, through,
  };
})();
