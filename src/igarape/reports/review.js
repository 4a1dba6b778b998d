// The page of doubted labels: shows the chips of the block of JSON one by one. The browser keeps what is answered.
"use strict";
(() => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const at = (id) => document.getElementById(id);
  const { labels, exclusive, alone } = content;
  const place = `igarape review ${content.key}`;
  const answers = remembered(); // by a chip's name and a label's: whether it holds
  const answer = (chip, k) => answers[chip.id]?.[labels[k]];
  const open = (chip) => chip.doubted.filter((k) => answer(chip, k) === undefined);
  let chips = content.chips, here = Math.max(0, chips.findIndex((chip) => open(chip).length));

  function remembered() {
    try {
      return JSON.parse(localStorage.getItem(place) ?? "{}");
    } catch {
      at("lost").hidden = false;
      return {};
    }
  }

  function remember() {
    try {
      localStorage.setItem(place, JSON.stringify(answers));
    } catch {
      at("lost").hidden = false;
    }
  }

  function say(chip, k, holds) {
    const of = (answers[chip.id] ??= {});
    if (holds === undefined) delete of[labels[k]];
    else of[labels[k]] = holds;
    remember();
    count();
    check(chip);
  }

  // What relabel would refuse: the rules of the vocabulary, of a chip that keeps them as it is given.
  function broken(flags) {
    const held = flags.flatMap((flag, k) => (flag ? [k] : [])), group = exclusive.filter((k) => flags[k]);
    const names = (some) => some.map((k) => labels[k]).join(", ") || "none";
    if (!held.length) return "No label is left.";
    if (exclusive.length && group.length != 1) return `Exactly one of ${names(exclusive)} holds; by your answers: ${names(group)}.`;
    const lone = alone.find((k) => flags[k]);
    return lone !== undefined && held.length > 1 ? `${labels[lone]} rules out every other label.` : "";
  }

  function check(chip) {
    const said = chip.given.map((given, k) => answer(chip, k) ?? Boolean(given));
    const rule = broken(chip.given) ? "" : broken(said);
    at("rule").hidden = !rule;
    at("rule").textContent = rule && `${rule} Answer its other labels too, below: else relabel refuses this chip.`;
    if (rule) at("more").open = true;
  }

  // The rows of review.csv: keep where the data set is right, change where it is wrong.
  function rows() {
    return content.chips.flatMap((chip) => labels.flatMap((label, k) => {
      const said = answer(chip, k);
      return said === undefined ? [] : [[chip.id, label, chip.given[k], said == chip.given[k] ? "keep" : "change", content.dataset]];
    }));
  }

  function count() {
    const done = content.chips.filter((chip) => !open(chip).length).length, found = rows();
    at("progress").textContent = `${done} of ${content.chips.length} chips`;
    at("kept").textContent = `${found.filter((row) => row[3] == "change").length} labels to change, ${found.length} answered`;
    at("save").disabled = !found.length;
  }

  function question(chip, k) {
    const field = document.createElement("fieldset"), legend = document.createElement("legend"), says = document.createElement("span");
    const mark = () => field.classList.toggle("differs", (answer(chip, k) ?? Boolean(chip.given[k])) != Boolean(chip.given[k]));
    legend.textContent = labels[k];
    field.append(legend);
    for (const [text, holds] of [["yes", true], ["no", false], ["open", undefined]]) {
      const choice = document.createElement("label");
      const radio = Object.assign(document.createElement("input"), { type: "radio", name: `label-${k}`, value: text, checked: answer(chip, k) === holds });
      radio.addEventListener("change", () => { say(chip, k, holds); mark(); });
      choice.append(radio, ` ${text}`);
      field.append(choice);
    }
    says.className = "small";
    says.textContent = `data set: ${chip.given[k] ? "yes" : "no"}; models: ${chip.p[k].toFixed(2)}`;
    field.append(says);
    mark();
    return field;
  }

  function show() {
    const chip = chips[here];
    at("chip").hidden = !chip;
    if (!chip) return;
    at("picture").src = `data:image/jpeg;base64,${chip.picture}`;
    at("picture").alt = `chip ${chip.id}`;
    at("name").textContent = chip.id;
    at("part").textContent = `${here + 1} of ${chips.length}; ${chip.part}`;
    at("tags").replaceChildren(...labels.filter((_, k) => chip.given[k]).map((label) => Object.assign(document.createElement("span"), { className: "tag", textContent: label })));
    at("doubted").replaceChildren(...chip.doubted.map((k) => question(chip, k)));
    at("others").replaceChildren(...labels.flatMap((_, k) => (chip.doubted.includes(k) ? [] : [question(chip, k)])));
    at("more").open = false;
    at("back").disabled = here == 0;
    at("next").disabled = here == chips.length - 1;
    check(chip);
  }

  function turn(steps) {
    here = Math.min(chips.length - 1, Math.max(0, here + steps));
    show();
  }

  function save() {
    const quoted = (value) => (/[",\n\r]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
    const text = [["image_id", "label", "given", "review", "dataset"], ...rows()].map((row) => row.map(quoted).join(",") + "\n").join("");
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: "review.csv" });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  at("back").addEventListener("click", () => turn(-1));
  at("next").addEventListener("click", () => turn(1));
  at("save").addEventListener("click", save);
  at("folds")?.addEventListener("change", (event) => {
    chips = content.chips.filter((chip) => !(event.target.checked && chip.held));
    here = 0;
    show();
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !chips.length) return;
    const chip = chips[here], moved = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (moved && event.target.type != "radio") turn(moved); // among radios the arrows choose
    const holds = { y: true, n: false }[event.key];
    if (holds === undefined) return;
    const [first] = open(chip);
    if (first !== undefined) say(chip, first, holds);
    if (open(chip).length || !at("rule").hidden || here == chips.length - 1) show();
    else turn(1);
  });
  count();
  show();
})();
