// Asks the server that this page came from, and no other. What it answers is shown as text, never as markup.
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
let token = null;
let cuts = {};

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
  if (answer.status === 401) $("#pass").hidden = false;
  throw Object.assign(new Error(content.message || `the server answered ${answer.status}`), { status: answer.status });
}

async function introduce() {
  try {
    const about = await ask("version");
    const figures = Object.entries(about.figures).map(([name, value]) => `${name.replace("holdout_", "hold-out ")} ${shown(value)}`);
    $("#model").textContent = `${about.model}, version ${about.version}`;
    $("#figures").textContent = figures.join(", ");
    $("#takes").textContent = `JPEG, PNG or TIF, ${about.size} x ${about.size} pixels`;
    cuts = about.cuts;
  } catch (error) {
    if (error.status === 503) setTimeout(introduce, 1000);
    else say(error.message);
  }
}

function shown(value) { return Number.isInteger(value) ? String(value) : value.toFixed(4); }

function sent(path, file) {
  const form = new FormData();
  form.append("image", file, file.name);
  return ask(path, { method: "POST", body: form });
}

async function tag(files) {
  for (const file of files) {
    say(`${file.name} ...`);
    try {
      const [answer] = (await sent("tag", file)).answers;
      $("#answers").prepend(card(file, answer));
      say("");
    } catch (error) {
      say(`${file.name}: ${error.message}`);
      if (error.status === 401) return;
    }
  }
}

function card(file, answer) {
  const made = $("#answer").content.cloneNode(true).firstElementChild;
  $("h2", made).textContent = file.name;
  $(".tags", made).append(...answer.tags.map((label) => element("span", label, "tag")));
  $(".tags", made).append(...(answer.alerts || []).map((label) => element("span", `alert: ${label}`, "tag alarm")));
  $(".warning", made).textContent = answer.warning;
  picture($(".pictures figure", made), file);
  $("caption", made).textContent = `Expected F2 of this answer: ${shown(answer.expected_f2)}` +
    (Object.keys(cuts).length ? ". The mark on a bar is where the rule cuts." : "");
  const labels = Object.entries(answer.probabilities).sort((one, other) => other[1] - one[1]);
  $("tbody", made).append(...labels.map(([label, p]) => row(label, p, answer.tags.includes(label))));
  $(".ask", made).addEventListener("click", (event) => look(made, file, labels.map(([label]) => label), answer.tags, event.target));
  return made;
}

function picture(figure, file) {
  const shownPicture = $("img", figure);
  shownPicture.addEventListener("error", () => { $("figcaption", figure).textContent = "this browser shows no such file"; shownPicture.remove(); });
  shownPicture.src = URL.createObjectURL(file);
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

async function look(made, file, labels, tags, button) {
  button.disabled = true;
  button.textContent = "Asking with parts covered ...";
  try {
    const found = await sent("look", file);
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
