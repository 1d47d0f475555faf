// The server's page in headless Chromium, as a person uses it: mouse, keyboard, narrow, dark.
//   node tests/server/page.mjs PROGRAM SOURCE_DIRECTORY FOLDER_WITH_NODE_MODULES [FOLDER_FOR_PICTURES]
// With a folder it leaves pictures there: page.png is README's.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Server, check, finish, skip } from "./support.mjs";

const [program, source, modules, pictures] = process.argv.slice(2);
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
let chromium;
try {
  ({ chromium } = createRequire(`${modules}/`)("playwright-core"));
} catch { /* said below */ }
if (!executablePath || !chromium) {
  skip("the page in a browser, which needs chromium and, from npm, playwright-core");
  process.exit(0);
}
const model = `${source}/examples/models/tiny-vl`, bars = `${model}/demo/000.png`;
const server = await Server.start(program, "-m", model, "--threads", "2");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 900, height: 940 } });
const wrong = [], elsewhere = [];
page.on("console", (message) => ["error", "warning"].includes(message.type()) && wrong.push(message.text()));
page.on("pageerror", (error) => wrong.push(error.message));
page.on("request", (asked) => { if (!/^(data|blob):/.test(asked.url()) && !asked.url().startsWith(server.url)) elsewhere.push(asked.url()); });
const shoot = async (name) => pictures && page.screenshot({ path: `${pictures}/${name}.png` });
const answered = (n) => page.waitForFunction((count) => [...document.querySelectorAll("li.answer")].length === count && document.querySelector("li.answer:last-child")?.ariaBusy === "false" && !document.getElementById("ask").disabled, n, { timeout: 30_000 });
const lastText = () => page.textContent("li.answer:last-child > span:nth-of-type(2)");
const lastFacts = () => page.textContent("li.answer:last-child .facts");
/** Puts a picture on the page as dropping or pasting does. */
const give = (kind, name) => page.evaluate(([kind, name, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type: "image/png" }));
  const event = kind === "drop" ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }) : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
  document.getElementById("drop").dispatchEvent(event);
}, [kind, name, readFileSync(bars).toString("base64")]);
const pictureCount = (n) => page.waitForFunction((count) => document.querySelectorAll("#pictures li").length === count, n);

await page.goto(server.url + "/");
await page.waitForFunction(() => document.getElementById("model").textContent === "tiny-vl");
check("the page names the model", true);

await page.setInputFiles("#file", bars);
await pictureCount(1);
await page.fill("#question", "Which bar is the tallest?");
await page.keyboard.press("Enter");
await answered(1);
check("a chosen picture and Enter give the answer", (await lastText()) === "The green bar.", await lastText());
check("with its counts", /tokens in/.test(await lastFacts()), await lastFacts());
check("and what the model saw", /256 × /.test(await page.textContent("li.answer details summary")));
check("the next question begins without pictures", (await page.locator("#pictures li").count()) === 0);

await page.fill("#question", "How many bars are there?");
await page.click("#ask");
await answered(2);
check("the conversation goes on, and nothing is computed again", /4/.test(await lastText()) && !/ 0 of /.test(await lastFacts()), [await lastText(), await lastFacts()]);

await page.click("#clear");
await give("drop", "dropped.png");
await pictureCount(1);
await give("paste", "pasted.png");
await pictureCount(2);
check("dropped and pasted pictures are there", true);
await page.click('[aria-label="Remove pasted.png"]');
await pictureCount(1);

await page.click('[aria-label="Take a part of dropped.png"]');
await page.waitForSelector("#region[open]");
const box = await page.locator("#canvas").boundingBox();
await page.mouse.move(box.x + box.width * 0.1, box.y + box.height * 0.1);
await page.mouse.down();
await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.7, { steps: 4 });
await page.mouse.up();
const drawn = await page.textContent("#region-status");
const [frameWidth, frameLeft] = drawn.match(/\d+/g).filter((_, i) => i % 2 === 0).map(Number), natural = await page.evaluate(() => document.getElementById("canvas").width);
check("a part is drawn with the mouse", Math.abs(frameWidth / natural - 0.5) < 0.02 && Math.abs(frameLeft / natural - 0.1) < 0.02, [drawn, natural]);
await shoot("page-region");
await page.locator("#canvas").focus();
await page.keyboard.press("ArrowRight");
await page.keyboard.press("Shift+ArrowDown");
const moved = await page.textContent("#region-status");
const [, tall, left] = moved.match(/\d+/g).map(Number), [, tallBefore] = drawn.match(/\d+/g).map(Number);
check("and moved and resized with the keyboard", left > frameLeft && tall > tallBefore, [drawn, moved]);
await page.keyboard.press("Enter");
await pictureCount(1);
const size = await page.evaluate(() => { const image = document.querySelector("#pictures img"); return `${image.naturalWidth} × ${image.naturalHeight}`; });
check("the part is what was framed", moved.startsWith(size), [moved, size]);

await page.click("summary:has-text('More')");
await page.fill("#schema", "{");
await page.fill("#question", "What is there?");
await page.click("#ask");
check("a schema that is no JSON is said", /no JSON/.test(await page.textContent("#status")));
await page.fill("#schema", '{"type": "object", "properties": {"bars": {"type": "integer", "minimum": 0, "maximum": 9}}, "required": ["bars"], "additionalProperties": false}');
await page.click("#ask");
await answered(1);
check("an answer is held to the schema", Number.isInteger(JSON.parse(await lastText()).bars), await lastText());
await page.fill("#schema", '{"uniqueItems": true}');
await page.fill("#question", "Again?");
await page.click("#ask");
await answered(2);
check("what the server refuses is said", /uniqueItems/.test(await lastFacts()), await lastFacts());
await page.fill("#schema", '{"type": "array", "items": {"type": "integer"}, "minItems": 250}');
await page.fill("#tokens", "700");
await page.click("#ask");
await page.waitForFunction(() => document.querySelector("li.answer:last-child > span:nth-of-type(2)").textContent.length > 5);
await page.keyboard.press("Escape");
await answered(3);
check("Escape stops an answer, and what was said stays", (await lastFacts()) === "stopped" && (await lastText()).startsWith("["), [await lastFacts(), (await lastText()).slice(0, 50)]);
check("and the server computes nothing more", await server.idle());

await page.fill("#schema", "");
await page.click("summary:has-text('More')");
await page.click("#clear");
await page.setInputFiles("#file", [bars, `${model}/demo/002.png`]);
await pictureCount(2);
await page.click('[aria-label="Remove 002.png"]');
await page.fill("#question", "Which bar is the tallest?");
await page.keyboard.press("Enter");
await answered(1);
await page.setInputFiles("#file", `${model}/demo/002.png`);
await pictureCount(1);
await shoot("page");
const nameless = await page.evaluate(() => [...document.querySelectorAll("button, input, textarea, img, canvas")].filter((e) => !(e.ariaLabel || e.alt || e.textContent.trim() || e.labels?.[0]?.textContent.trim())).map((e) => e.outerHTML));
check("all that can be used has a name", nameless.length === 0, nameless);
for (const scheme of ["light", "dark"]) {
  await page.emulateMedia({ colorScheme: scheme });
  await page.setViewportSize({ width: 360, height: 740 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  check(`it fits 360 pixels, ${scheme}`, width <= 360, width);
  await shoot(`page-360-${scheme}`);
}
const contrast = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
check("dark is dark", contrast === "rgb(22, 22, 21)", contrast);
check("nothing is loaded from elsewhere", elsewhere.length === 0, elsewhere);
check("the browser had no complaint but of what was refused", wrong.every((text) => /400/.test(text)), wrong);
await browser.close();
await server.stop();
process.exit(finish("page"));
