// A small network and its training, in double precision: convolution of 3x3 to 8 maps, ReLU, max pooling of 2x2, one
// linear layer to ten scores, softmax and cross entropy, stochastic gradient descent.
(() => {
  "use strict";

  const SIDE = 8, MAPS = 8, KERNEL = 3, OUT = SIDE - KERNEL + 1, POOLED = OUT / 2, CLASSES = 10;
  const FEATURES = MAPS * POOLED * POOLED;
  const SIZES = { kernels: MAPS * KERNEL * KERNEL, kernelBias: MAPS, weights: CLASSES * FEATURES, bias: CLASSES };
  const FAN_IN = { kernels: KERNEL * KERNEL, kernelBias: KERNEL * KERNEL, weights: FEATURES, bias: FEATURES };

  // Chance that a seed repeats: numbers from 0 to 1 (mulberry32).
  const chance = (seed) => {
    let state = (seed * 0x9e3779b9 + 0x6d2b79f5) | 0;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
  };

  const filled = (value) => Object.fromEntries(Object.entries(SIZES).map(([name, size]) =>
    [name, Float64Array.from({ length: size }, () => value(name))]));
  // As torch starts them: evenly between plus and minus one over the root of the inputs.
  const start = (random) => filled((name) => (2 * random() - 1) / Math.sqrt(FAN_IN[name]));
  const zeros = () => filled(() => 0);

  const softmax = (scores) => {
    const most = Math.max(...scores), powers = scores.map((score) => Math.exp(score - most));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  };

  // The pooled maps of an image, and where each maximum stood.
  const features = (net, image) => {
    const values = new Float64Array(FEATURES), places = new Int32Array(FEATURES), map = new Float64Array(OUT * OUT);
    for (let k = 0; k < MAPS; k += 1) {
      for (let y = 0; y < OUT; y += 1) {
        for (let x = 0; x < OUT; x += 1) {
          let sum = net.kernelBias[k];
          for (let u = 0; u < KERNEL; u += 1) {
            for (let v = 0; v < KERNEL; v += 1) {
              sum += net.kernels[(k * KERNEL + u) * KERNEL + v] * image[(y + u) * SIDE + x + v];
            }
          }
          map[y * OUT + x] = Math.max(0, sum);
        }
      }
      for (let cell = 0; cell < POOLED * POOLED; cell += 1) {
        const corner = 2 * Math.floor(cell / POOLED) * OUT + 2 * (cell % POOLED), at = k * POOLED * POOLED + cell;
        places[at] = corner;
        for (const place of [corner + 1, corner + OUT, corner + OUT + 1]) if (map[place] > map[places[at]]) places[at] = place;
        values[at] = map[places[at]];
      }
    }
    return { values, places };
  };

  const scoresOf = (net, values) => Array.from({ length: CLASSES }, (_, unit) => {
    let sum = net.bias[unit];
    for (let at = 0; at < FEATURES; at += 1) sum += net.weights[unit * FEATURES + at] * values[at];
    return sum;
  });

  // The mean loss of a batch; its gradient is added to `gradient`. With `twice`, softmax stands in the network too.
  const backward = (net, gradient, images, labels, { twice = false } = {}) => {
    let loss = 0;
    images.forEach((image, n) => {
      const { values, places } = features(net, image), scores = scoresOf(net, values);
      const first = softmax(scores), last = twice ? softmax(first) : first;
      const inputs = twice ? first : scores, most = Math.max(...inputs);
      loss += most + Math.log(inputs.reduce((sum, input) => sum + Math.exp(input - most), 0)) - inputs[labels[n]];
      let slope = last.map((share, unit) => (share - (unit === labels[n] ? 1 : 0)) / images.length);
      if (twice) {
        const mean = slope.reduce((sum, value, unit) => sum + value * first[unit], 0);
        slope = slope.map((value, unit) => first[unit] * (value - mean));
      }
      for (let unit = 0; unit < CLASSES; unit += 1) {
        gradient.bias[unit] += slope[unit];
        for (let at = 0; at < FEATURES; at += 1) gradient.weights[unit * FEATURES + at] += slope[unit] * values[at];
      }
      for (let at = 0; at < FEATURES; at += 1) {
        if (values[at] <= 0) continue; // ReLU
        let back = 0;
        for (let unit = 0; unit < CLASSES; unit += 1) back += slope[unit] * net.weights[unit * FEATURES + at];
        const k = Math.floor(at / (POOLED * POOLED)), y = Math.floor(places[at] / OUT), x = places[at] % OUT;
        gradient.kernelBias[k] += back;
        for (let u = 0; u < KERNEL; u += 1) {
          for (let v = 0; v < KERNEL; v += 1) {
            gradient.kernels[(k * KERNEL + u) * KERNEL + v] += back * image[(y + u) * SIDE + x + v];
          }
        }
      }
    });
    return loss / images.length;
  };

  const descend = (net, gradient, rate) => {
    for (const name of Object.keys(SIZES)) {
      for (let at = 0; at < SIZES[name]; at += 1) net[name][at] -= rate * gradient[name][at];
    }
  };

  // The order of an epoch: shuffled, or by class where the images are sorted.
  const order = (labels, random, sorted) => {
    const places = [...labels.keys()];
    if (sorted) return places.sort((a, b) => labels[a] - labels[b] || a - b);
    for (let last = places.length - 1; last > 0; last -= 1) {
      const other = Math.floor(random() * (last + 1));
      [places[last], places[other]] = [places[other], places[last]];
    }
    return places;
  };

  const guess = (net, image) => {
    const scores = scoresOf(net, features(net, image).values);
    return scores.indexOf(Math.max(...scores));
  };
  const accuracy = (net, { images, labels }) =>
    images.filter((image, n) => guess(net, image) === labels[n]).length / images.length;

  const dataOf = ({ pixels, labels }) => ({
    images: Array.from({ length: labels.length }, (_, n) => Float64Array.from({ length: SIDE * SIDE },
      (_value, at) => parseInt(pixels[n * SIDE * SIDE + at], 17) / 16)),
    labels: Array.from(labels, Number),
  });

  // A run: steps that go through the epochs' batches. `loop` is "right", "keep" (the gradients are never cleared),
  // "sorted" (the images come class by class) or "twice" (softmax stands in the network too).
  const run = (data, { rate, batch, seed, loop }) => {
    const random = chance(seed), net = start(random);
    let gradient = zeros(), queue = [], epoch = 0, steps = 0;
    const step = () => {
      if (!queue.length) {
        queue = order(data.labels, random, loop === "sorted");
        epoch += 1;
      }
      if (loop !== "keep") gradient = zeros();
      const chosen = queue.splice(0, batch);
      const loss = backward(net, gradient, chosen.map((n) => data.images[n]), chosen.map((n) => data.labels[n]),
        { twice: loop === "twice" });
      descend(net, gradient, rate);
      steps += 1;
      return { loss, chosen, epoch, steps, ended: !queue.length };
    };
    return { net, step };
  };

  course.trainer = { run, accuracy, dataOf, features, scoresOf };
})();
