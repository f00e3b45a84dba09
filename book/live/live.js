// What the live pieces share: elements, the place of a piece on the page, its state in the address, and data.
//
//   course.piece("kernel", ({ root, state }, photograph) => { root.append(...); }, "photograph");
//
// The function builds the piece, once the data that it names are there. When it is through, the fallback makes room on
// the screen; it stays in print, and it stays everywhere when the function throws.
(() => {
  "use strict";

  const data = new URL("data/", document.currentScript.src);

  const make = (tag, properties = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element && name !== "role") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  const svg = (tag, attributes = {}, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  // A label and its control. Identifiers are unique on the page.
  let count = 0;
  const field = (words, control) => {
    control.id ||= `live-control-${count += 1}`;
    return make("div", { className: "live-field" }, make("label", { htmlFor: control.id, textContent: words }), control);
  };

  const choice = (words, options, value) => {
    const control = make("select", {}, ...options.map(([key, text]) => make("option", { value: key, textContent: text })));
    control.value = value;
    return [field(words, control), control];
  };

  // A range whose label says its value.
  const slider = (name, least, most, value, words = name[0].toUpperCase() + name.slice(1), shown = String) => {
    const control = make("input", { type: "range", min: least, max: most, step: 1, value });
    const whole = field("", control);
    const tell = () => { whole.firstChild.textContent = `${words}: ${shown(control.valueAsNumber)}`; };
    control.addEventListener("input", tell);
    tell();
    return { name, least, control, field: whole, number: () => control.valueAsNumber };
  };

  // The sentence that says what is seen.
  const say = () => make("p", { className: "live-says", "aria-live": "polite" });

  // A table from rows of cells; the first row is its head. A cell is text, a number or an element.
  const table = (caption, [head, ...rows]) =>
    make("div", { className: "live-scroll", tabIndex: 0, role: "region", "aria-label": caption },
      make("table", { className: "table" }, make("caption", { textContent: caption }),
        make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
        make("tbody", {}, ...rows.map(([first, ...cells]) =>
          make("tr", {}, make("th", { scope: "row" }, first), ...cells.map((cell) => make("td", {}, cell)))))));

  // The state of a piece: a few words by name. What differs from its first value stands in the address as
  // ?kernel.stride=2, and an address that holds it opens the piece so.
  const stateOf = (anchor, start) => {
    const first = new Map(start.split(/\s+/).filter(Boolean).map((word) => word.split(/=(.*)/s).slice(0, 2)));
    const asked = new URLSearchParams(location.search);
    const key = (name) => `${anchor}.${name}`;
    // Browsers allow an address to change only so often: all changes of one event are written at once, and what is
    // refused is written later.
    let due = false;
    const write = () => {
      due = false;
      const address = new URL(location.href), own = (name) => name.startsWith(`${anchor}.`);
      for (const name of [...address.searchParams.keys()].filter(own)) address.searchParams.delete(name);
      for (const [name, text] of asked) if (own(name)) address.searchParams.set(name, text);
      if (address.href === location.href) return;
      try {
        history.replaceState(null, "", address);
      } catch {
        setTimeout(write, 2000);
      }
    };
    return {
      get: (name, usual) => asked.get(key(name)) ?? first.get(name) ?? String(usual),
      set: (name, value, usual) => {
        const text = String(value);
        if (text === (first.get(name) ?? String(usual))) asked.delete(key(name));
        else asked.set(key(name), text);
        if (!due) queueMicrotask(write);
        due = true;
      },
    };
  };

  // A script of data, loaded once, whoever asks. Gives its value.
  const loading = new Map();
  const load = (name) => {
    if (!loading.has(name)) {
      loading.set(name, new Promise((resolve, reject) => {
        const script = make("script", { src: new URL(`${name}.js`, data).href });
        script.onload = () => resolve(window.courseData[name]);
        script.onerror = () => { loading.delete(name); reject(new Error(`${name}.js could not be loaded`)); };
        document.head.append(script);
      }));
    }
    return loading.get(name);
  };

  const piece = (name, build, ...needed) => {
    for (const root of document.querySelectorAll(`.live[data-piece="${name}"]`)) {
      const anchor = root.id.replace(/^live-/, "");
      const body = make("section", { className: `live-piece live-${name}`, "aria-label": `To try by hand: ${anchor}` });
      Promise.all(needed.map(load)).then((values) => {
        build({ root: body, anchor, state: stateOf(anchor, root.dataset.state) }, ...values);
        const link = make("a", { href: `#${root.id}`, textContent: "Link to this state" });
        for (const event of ["focus", "pointerdown", "pointerenter"]) {
          link.addEventListener(event, () => { link.href = `${location.search}#${root.id}`; });
        }
        body.append(make("p", { className: "live-link" }, link));
        root.prepend(body);
        root.classList.add("live-on");
      });
    }
  };

  window.course = { make, svg, field, choice, slider, say, table, load, piece };
})();
