// The page of dsvl-server: a conversation with pictures over /v1/chat/completions. No framework, nothing from elsewhere.
"use strict";
const $ = (id) => document.getElementById(id);
const make = (name, properties = {}, ...inside) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...inside);
  return made;
};
const pictures = [];      // of the next question: {name, url}
const conversation = [];  // messages, as the server takes them
let answering = null;     // what stops the answer

const say = (text) => ($("status").textContent = text);
const headers = () => ({ "Content-Type": "application/json", ...($("key").value ? { Authorization: `Bearer ${$("key").value}` } : {}) });

// --- pictures -----------------------------------------------------------------------------------

const readUrl = (blob) => new Promise((done, fail) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result);
  reader.onerror = () => fail(reader.error);
  reader.readAsDataURL(blob);
});
const loadImage = (url) => new Promise((done, fail) => {
  const image = new Image();
  image.onload = () => done(image);
  image.onerror = () => fail(new Error("this browser can not show it"));
  image.src = url;
});

/** PNG and JPEG files go as they are, unless they are large; what else the browser can show becomes one of them. */
async function prepare(file) {
  const url = await readUrl(file);
  if (/^image\/(png|jpeg)$/.test(file.type) && file.size < 6e6) return url;
  const image = await loadImage(url);
  const scale = Math.min(1, 2048 / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = make("canvas", { width: Math.max(1, Math.round(image.naturalWidth * scale)), height: Math.max(1, Math.round(image.naturalHeight * scale)) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return file.size < 6e6 ? canvas.toDataURL("image/png") : canvas.toDataURL("image/jpeg", 0.95);
}

async function addFiles(files) {
  for (const file of files) {
    if (!file.type.startsWith("image/")) { say(`${file.name} is no picture.`); continue; }
    try {
      pictures.push({ name: file.name || "picture", url: await prepare(file) });
      say(`${file.name || "The picture"} was added.`);
    } catch (error) {
      say(`${file.name}: ${error.message}`);
    }
  }
  showPictures();
}

function showPictures() {
  $("pictures").replaceChildren(...pictures.map((picture, i) => make("li", {},
    make("img", { src: picture.url, alt: picture.name }),
    make("div", {},
      make("button", { type: "button", textContent: "Part", ariaLabel: `Take a part of ${picture.name}`, onclick: () => openRegion(i) }),
      make("button", { type: "button", textContent: "✕", ariaLabel: `Remove ${picture.name}`, onclick: () => { pictures.splice(i, 1); showPictures(); $("question").focus(); } })))));
}

for (const id of ["file", "camera"]) $(id).onchange = (event) => { addFiles([...event.target.files]); event.target.value = ""; };
document.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length) { event.preventDefault(); addFiles(files); }
});
document.addEventListener("dragover", (event) => { event.preventDefault(); $("drop").classList.add("over"); });
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) $("drop").classList.remove("over"); });
document.addEventListener("drop", (event) => { event.preventDefault(); $("drop").classList.remove("over"); addFiles([...event.dataTransfer.files]); });

// --- a part of a picture ------------------------------------------------------------------------

const region = { index: 0, image: null, x: 0, y: 0, width: 0, height: 0, from: null };

async function openRegion(index) {
  const image = await loadImage(pictures[index].url), { naturalWidth: w, naturalHeight: h } = image;
  Object.assign(region, { index, image, x: Math.floor(w / 4), y: Math.floor(h / 4), width: Math.ceil(w / 2), height: Math.ceil(h / 2), from: null });
  $("canvas").width = w, $("canvas").height = h;
  drawRegion();
  $("region").showModal();
  $("canvas").focus();
}

function drawRegion() {
  const canvas = $("canvas"), pen = canvas.getContext("2d"), { x, y, width, height, image } = region;
  pen.drawImage(image, 0, 0);
  pen.fillStyle = "#0008";
  pen.beginPath();
  pen.rect(0, 0, canvas.width, canvas.height);
  pen.rect(x, y, width, height);
  pen.fill("evenodd");
  pen.lineWidth = Math.max(2, canvas.width / 300);
  pen.strokeStyle = "#ffb000";
  pen.strokeRect(x, y, width, height);
  $("region-status").textContent = `${width} × ${height} pixels at ${x}, ${y}`;
}

/** A frame between two corners, inside the picture and a pixel wide at least. */
function setRegion(x0, y0, x1, y1) {
  const { width: w, height: h } = $("canvas"), clamp = (v, most) => Math.min(most, Math.max(0, Math.round(v)));
  const left = Math.min(clamp(Math.min(x0, x1), w), w - 1), top = Math.min(clamp(Math.min(y0, y1), h), h - 1);
  Object.assign(region, { x: left, y: top, width: Math.max(1, clamp(Math.max(x0, x1), w) - left), height: Math.max(1, clamp(Math.max(y0, y1), h) - top) });
  drawRegion();
}

const place = (event) => {
  const box = $("canvas").getBoundingClientRect();
  return [(event.clientX - box.left) * $("canvas").width / box.width, (event.clientY - box.top) * $("canvas").height / box.height];
};
$("canvas").onpointerdown = (event) => { region.from = place(event); $("canvas").setPointerCapture(event.pointerId); };
$("canvas").onpointermove = (event) => { if (region.from) setRegion(...region.from, ...place(event)); };
$("canvas").onpointerup = $("canvas").onpointercancel = () => { region.from = null; };
$("canvas").onkeydown = (event) => {
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (event.key === "Enter") { event.preventDefault(); return $("take").click(); }
  if (!move) return;
  event.preventDefault();
  const step = Math.max(1, Math.round($("canvas").width / 40)), [dx, dy] = move.map((m) => m * step);
  const { x, y, width, height } = region;
  if (event.shiftKey) setRegion(x, y, Math.max(x + 1, x + width + dx), Math.max(y + 1, y + height + dy));
  else {
    const left = Math.max(0, Math.min($("canvas").width - width, x + dx)), top = Math.max(0, Math.min($("canvas").height - height, y + dy));
    setRegion(left, top, left + width, top + height);
  }
};
$("take").onclick = () => {
  const { x, y, width, height, image, index } = region, canvas = make("canvas", { width, height });
  canvas.getContext("2d").drawImage(image, x, y, width, height, 0, 0, width, height);
  pictures.push({ name: `part of ${pictures[index].name}`, url: canvas.toDataURL("image/png") });
  pictures.splice(index, 1);
  $("region").close();
  showPictures();
  $("question").focus();
};
$("whole").onclick = () => $("region").close();

// --- the conversation ---------------------------------------------------------------------------

function addTurn(who, kind) {
  const text = make("span"), facts = make("span", { className: "facts" });
  const item = make("li", { className: kind }, make("span", { className: "who", textContent: who }), text, facts);
  $("talk").append(item);
  item.scrollIntoView({ block: "nearest" });
  return { item, text, facts };
}

function request(question) {
  const content = [...pictures.map(({ url }) => ({ type: "image_url", image_url: { url } })), { type: "text", text: question }];
  const body = {
    messages: [...conversation, { role: "user", content }], stream: true, stream_options: { include_usage: true },
    max_tokens: +$("tokens").value || 256, temperature: +$("temperature").value || 0,
  };
  const schema = $("schema").value.trim();
  if (schema) body.response_format = { type: "json_schema", json_schema: { name: "answer", schema: JSON.parse(schema) } };
  return body;
}

/** The data of each event, as they come. Comments are skipped. */
async function* eventsOf(reply) {
  const decoder = new TextDecoder();
  let waiting = "";
  for (const reader = reply.body.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += decoder.decode(value, { stream: true });
    const blocks = waiting.split("\n\n");
    waiting = blocks.pop();
    for (const block of blocks)
      if (block.startsWith("data: ") && block !== "data: [DONE]") yield JSON.parse(block.slice(6));
  }
}

/** The square that the model saw: the picture as it was scaled, in its place, and the background around it. */
async function showSeen(turn, urls, seen) {
  for (const [i, one] of seen.slice(-urls.length).entries()) {
    const view = one.high ?? one.low;
    if (!view || !urls[i]) continue;
    const canvas = make("canvas", { width: view.side, height: view.side, role: "img", ariaLabel: `What the model saw of picture ${i + 1}: ${view.content[2]} by ${view.content[3]} pixels` });
    const pen = canvas.getContext("2d");
    pen.fillStyle = `rgb(${view.background.join()})`;
    pen.fillRect(0, 0, view.side, view.side);
    pen.drawImage(await loadImage(urls[i]), ...view.content);
    turn.facts.before(make("details", {}, make("summary", { textContent: `What the model saw: ${one.width} × ${one.height} pixels as ${view.content[2]} × ${view.content[3]}${one.recognised ? ", known from before" : ""}` }), canvas));
  }
}

async function ask(question) {
  const body = request(question), urls = pictures.map(({ url }) => url);
  const asked = addTurn("You", "user");
  asked.text.textContent = question;
  for (const { url, name } of pictures) asked.item.append(make("img", { src: url, alt: name }));
  const turn = addTurn("dsvl", "answer"), began = performance.now();
  let text = "", first = 0, usage = null;
  turn.item.ariaBusy = "true";  // a screen reader reads the answer when it is whole, not each of its words
  try {
    answering = new AbortController();
    const reply = await fetch("v1/chat/completions", { method: "POST", headers: headers(), body: JSON.stringify(body), signal: answering.signal });
    if (!reply.ok) throw new Error((await reply.json()).error.message);
    for await (const event of eventsOf(reply)) {
      if (event.error) throw new Error(event.error.message);
      const piece = event.choices[0]?.delta?.content ?? "";
      if (piece && !first) first = performance.now();
      turn.text.textContent = text += piece;
      if (event.dsvl?.seen) showSeen(turn, urls, event.dsvl.seen);
      usage = event.usage ?? usage;
    }
  } catch (error) {
    if (error.name !== "AbortError") {
      turn.item.classList.add("wrong");
      turn.facts.textContent = error.message;
      return false;
    }
    turn.facts.textContent = "stopped";
  } finally {
    turn.item.ariaBusy = "false";
  }
  const seconds = (performance.now() - began) / 1000;
  if (usage) turn.facts.textContent = `${usage.completion_tokens} tokens in ${seconds.toFixed(1)} s, the first after ${((first - began) / 1000).toFixed(1)} s; ${usage.prompt_tokens_details.cached_tokens} of ${usage.prompt_tokens} tokens of the question were known`;
  if (text) conversation.push(body.messages.at(-1), { role: "assistant", content: text });
  return text !== "";
}

$("form").onsubmit = async (event) => {
  event.preventDefault();
  const question = $("question").value.trim();
  if (!question || answering) return $("question").focus();
  const schema = $("schema").value.trim();
  try { if (schema) JSON.parse(schema); } catch { return say("The schema is no JSON."); }
  $("ask").disabled = true, $("stop").disabled = false;
  say("Answering …");
  if (await ask(question)) { pictures.length = 0; $("question").value = ""; showPictures(); }
  answering = null;
  $("ask").disabled = false, $("stop").disabled = true;
  say("");
  $("question").focus();
};
$("stop").onclick = () => answering?.abort();
$("clear").onclick = () => { answering?.abort(); conversation.length = 0; $("talk").replaceChildren(); $("question").focus(); };
$("question").onkeydown = (event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); $("form").requestSubmit(); } };
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !$("region").open) answering?.abort(); });

async function showModel() {
  const reply = await fetch("v1/models", { headers: headers() }).catch(() => null);
  $("model").textContent = reply?.ok ? (await reply.json()).data[0].id : reply?.status === 401 ? "wants an API key (under More)" : "is not there";
}
$("key").onchange = showModel;
showModel();
