// LeNet-5 with tanh and average pooling: an image of 32x32 through the layers to ten scores.
(() => {
  "use strict";

  // Sixteen bits as IEEE 754 has them, exactly.
  const half = (bits) => {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -24 * fraction;
  };

  // Weights from the page's data: one text of bytes, the tensors one after the other in little-endian halves.
  const decoded = new Map();
  const weightsOf = (data) => {
    if (!decoded.has(data)) {
      const bytes = atob(data.halves), tensors = {};
      let at = 0;
      for (const [name, shape] of data.shapes) {
        const size = shape.reduce((product, side) => product * side);
        tensors[name] = Float64Array.from({ length: size }, (_, i) =>
          half(bytes.charCodeAt(2 * (at + i)) | (bytes.charCodeAt(2 * (at + i) + 1) << 8)));
        at += size;
      }
      decoded.set(data, tensors);
    }
    return decoded.get(data);
  };

  // A map set is { channels, side, values }, the values row by row, one channel after the other.
  const conv = ({ channels, side, values }, weight, bias) => {
    const kernel = 5, out = side - kernel + 1, maps = bias.length;
    const result = new Float64Array(maps * out * out);
    for (let map = 0; map < maps; map += 1) {
      for (let y = 0; y < out; y += 1) {
        for (let x = 0; x < out; x += 1) {
          let sum = bias[map];
          for (let channel = 0; channel < channels; channel += 1) {
            for (let u = 0; u < kernel; u += 1) {
              const pixel = (channel * side + y + u) * side + x, tap = ((map * channels + channel) * kernel + u) * kernel;
              for (let v = 0; v < kernel; v += 1) sum += weight[tap + v] * values[pixel + v];
            }
          }
          result[(map * out + y) * out + x] = sum;
        }
      }
    }
    return { channels: maps, side: out, values: result };
  };

  const squash = ({ values, ...rest }) => ({ ...rest, values: values.map(Math.tanh) });

  const pool = ({ channels, side, values }) => {
    const out = side / 2, result = new Float64Array(channels * out * out);
    for (let at = 0; at < result.length; at += 1) {
      const x = at % out, y = Math.floor(at / out) % out, corner = (Math.floor(at / (out * out)) * side + 2 * y) * side + 2 * x;
      result[at] = (values[corner] + values[corner + 1] + values[corner + side] + values[corner + side + 1]) / 4;
    }
    return { channels, side: out, values: result };
  };

  const linear = (values, weight, bias) => Float64Array.from(bias, (start, unit) => {
    let sum = start;
    for (let at = 0; at < values.length; at += 1) sum += weight[unit * values.length + at] * values[at];
    return sum;
  });

  const softmax = (scores, temperature = 1) => {
    const most = Math.max(...scores), powers = Array.from(scores, (score) => Math.exp((score - most) / temperature));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  };

  // What each layer makes of 32x32 grey values, 0 to 255. They are normalised as in training.
  const forward = (data, pixels) => {
    const w = weightsOf(data), [mean, std] = data.stats;
    const input = { channels: 1, side: 32, values: Float64Array.from(pixels, (pixel) => (pixel - 255 * mean) / (255 * std)) };
    const c1 = squash(conv(input, w["c1.weight"], w["c1.bias"])), s2 = pool(c1);
    const c3 = squash(conv(s2, w["c3.weight"], w["c3.bias"])), s4 = pool(c3);
    const c5 = linear(s4.values, w["c5.weight"], w["c5.bias"]).map(Math.tanh);
    const f6 = linear(c5, w["f6.weight"], w["f6.bias"]).map(Math.tanh);
    return { c1, s2, c3, s4, c5, f6, scores: linear(f6, w["output.weight"], w["output.bias"]) };
  };

  course.lenet = { forward, softmax, weightsOf };
})();
