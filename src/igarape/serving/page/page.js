// Asks the server that this page came from, and no other. What it answers is shown as text, never as markup.
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
let token = null;
let cuts = {};
let columns = ["image"];

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function say(text) { $("#said").textContent = text; }

async function ask(path, options = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(path, { ...options, headers });
  const content = await answer.json();
  if (answer.ok) return content;
  if (answer.status === 401) {
    $("#pass").hidden = false;
    $("#model").textContent = "The model answers those who have its token";
    content.message = token ? "This is not the server's token." : "Type the server's token above.";
  }
  throw Object.assign(new Error(content.message || `the server answered ${answer.status}`), { status: answer.status });
}

async function introduce() {
  try {
    const about = await ask("version");
    const origin = about.version === "unregistered" ? "from a folder, not from a registry" : `version ${about.version}`;
    $("#model").textContent = `${about.model}, ${origin}`;
    $("#figures").textContent = figures(about.figures);
    $("#takes").textContent = `JPEG, PNG or TIF, ${about.size} x ${about.size} pixels`;
    cuts = about.cuts;
    columns = about.columns;
    if (columns.includes("nir")) $("#takes").textContent += ", and with each a TIF of four bands under its name; or such a TIF alone";
  } catch (error) {
    if (error.status === 503) setTimeout(introduce, 1000);
    else say(error.message);
  }
}

// As the report writes them: F2 with its interval, mAP, and how many chips they were found on.
function figures(of) {
  const said = [];
  const interval = of.holdout_f2_low === undefined ? "" : ` (95 %: ${shown(of.holdout_f2_low)} to ${shown(of.holdout_f2_high)})`;
  if (of.holdout_f2 !== undefined) said.push(`F2 ${shown(of.holdout_f2)}${interval}`);
  if (of.holdout_map !== undefined) said.push(`mAP ${shown(of.holdout_map)}`);
  if (of.holdout_n !== undefined) said.push(`${shown(of.holdout_n)} chips`);
  return said.length ? `hold-out ${said.join(", ")}` : "";
}

function shown(value) { return Number.isInteger(value) ? String(value) : value.toFixed(4); }

// What is sent of a chip, by column. Near-infrared is in the TIF of the picture's name, or in the picture itself.
function chips(files) {
  if (!columns.includes("nir")) return files.map((file) => ({ image: file }));
  const found = new Map();
  for (const file of files) {
    const [, stem, kind] = file.name.match(/^(.*?)(\.tiff?)?$/i), name = kind ? stem : stem.replace(/\.[^.]*$/, "");
    found.set(name, { ...found.get(name), [kind ? "nir" : "image"]: file });
  }
  return [...found.values()].map(({ image, nir }) => (nir ? { image: image || nir, nir } : { image }));
}

function sent(path, chip) {
  const form = new FormData();
  for (const [column, file] of Object.entries(chip)) form.append(column, file, file.name);
  return ask(path, { method: "POST", body: form });
}

async function tag(files) {
  for (const chip of chips(files)) {
    const { name } = chip.image;
    say(`${name} ...`);
    try {
      const [answer] = (await sent("tag", chip)).answers;
      $("#answers").prepend(card(chip, answer));
      say("");
    } catch (error) {
      say(`${name}: ${error.message.replace(/^row 0(, nir)?: /, "")}`); // each picture is sent alone
      if (error.status === 401) return;
    }
  }
}

function card(chip, answer) {
  const made = $("#answer").content.cloneNode(true).firstElementChild;
  $("h2", made).textContent = chip.image.name;
  $(".tags", made).append(...answer.tags.map((label) => element("span", label, "tag")));
  $(".tags", made).append(...(answer.alerts || []).map((label) => element("span", `alert: ${label}`, "tag alarm")));
  $(".warning", made).textContent = answer.warning;
  picture($(".pictures figure", made), chip);
  $("caption", made).textContent = `Expected F2 of this answer: ${shown(answer.expected_f2)}` +
    (Object.keys(cuts).length ? ". The mark on a bar is where the rule cuts." : "");
  const labels = Object.entries(answer.probabilities).sort((one, other) => other[1] - one[1]);
  $("tbody", made).append(...labels.map(([label, p]) => row(label, p, answer.tags.includes(label))));
  $(".ask", made).addEventListener("click", (event) => look(made, chip, labels.map(([label]) => label), answer.tags, event.target));
  return made;
}

// Where the browser cannot show a file, as most TIFs, the server does.
function picture(figure, chip) {
  const shownPicture = $("img", figure);
  shownPicture.addEventListener("error", async () => {
    try {
      shownPicture.src = (await sent("preview", chip)).picture;
      $("figcaption", figure).textContent = "as the model sees it";
    } catch (error) {
      $("figcaption", figure).textContent = error.message;
      shownPicture.remove();
    }
  }, { once: true });
  shownPicture.src = URL.createObjectURL(chip.image);
}

function row(label, p, held) {
  const made = element("tr", undefined, held ? "held" : "");
  const bar = element("div", undefined, "bar"), filled = element("i");
  filled.style.width = `${100 * p}%`;
  bar.append(filled);
  if (label in cuts) {
    const cut = element("b");
    cut.style.left = `${100 * cuts[label]}%`;
    cut.title = `cut at ${shown(cuts[label])}`;
    bar.append(cut);
  }
  const name = element("th", label), cell = element("td");
  name.scope = "row";
  cell.append(bar);
  made.append(name, cell, element("td", p.toFixed(3), "n"));
  return made;
}

async function look(made, chip, labels, tags, button) {
  button.disabled = true;
  button.textContent = "Asking with parts covered ...";
  try {
    const found = await sent("look", chip);
    if (found.dehazed) {
      $(".dehazed img", made).src = found.dehazed;
      $(".dehazed", made).hidden = false;
    }
    const choice = $("select", made);
    choice.append(...labels.map((label) => new Option(label)));
    choice.value = labels.findLast((label) => tags.includes(label)); // of those that are answered, the least certain
    const draw = () => $(".maps", made).replaceChildren(...maps(found, choice.value));
    choice.addEventListener("change", draw);
    draw();
    $(".looks", made).hidden = false;
    button.remove();
  } catch (error) {
    say(error.message);
    button.disabled = false;
    button.textContent = "Where did the learners look?";
  }
}

function maps(found, label) {
  return found.learners.filter((learner) => label in learner.falls).map((learner) => {
    const figure = element("figure"), canvas = element("canvas");
    const falls = learner.falls[label];
    const most = Math.max(...falls.flat().map(Math.abs));
    canvas.width = canvas.height = 256;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${learner.name}: ${places(falls, most)}`);
    const under = new Image();
    under.onload = () => paint(canvas.getContext("2d"), under, falls, most);
    under.src = learner.picture;
    figure.append(canvas, element("figcaption", `${learner.name} (${learner.chips}); the logit changes by at most ${most.toFixed(2)}`));
    return figure;
  });
}

function paint(context, under, falls, most) {
  context.drawImage(under, 0, 0, 256, 256);
  const side = 256 / falls.length;
  falls.forEach((line, y) => line.forEach((fall, x) => {
    const strength = most ? Math.abs(fall) / most : 0;
    context.fillStyle = fall > 0 ? `rgb(214 40 40 / ${0.7 * strength})` : `rgb(38 99 214 / ${0.7 * strength})`;
    context.fillRect(x * side, y * side, side, side);
  }));
}

function places(falls, most) {
  const rows = ["top", "middle", "bottom"], columns = ["left", "centre", "right"];
  const third = (place) => Math.floor((3 * place) / falls.length);
  const seen = falls.flatMap((line, y) => line.map((fall, x) => [fall, `${rows[third(y)]} ${columns[third(x)]}`]));
  const strongest = new Set(seen.filter(([fall]) => most && fall > most / 2).map(([, place]) => place));
  return strongest.size ? `seen at the ${[...strongest].join(", ")}` : "seen nowhere in particular";
}

$("#files").addEventListener("change", (event) => { tag([...event.target.files]); event.target.value = ""; });
$("#pass").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("#token").value;
  $("#pass").hidden = true;
  say("");
  introduce();
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  $("#drop").addEventListener(kind, (event) => {
    event.preventDefault();
    $("#drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") tag([...event.dataTransfer.files]);
  });
}
introduce();
