// base.js: making elements, and putting values into words that a person reads.
//
// What the report says comes from other programs and other machines: it goes into the page as text nodes and
// attributes only, never as markup.

const LONGEST_TEXT = 2000; // a name of a megabyte is no name
// Control characters, and those that turn the direction of writing around: they would make text look like another.
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

function clean(value) {
	const text =
		typeof value === "string" ? value : value === null || value === undefined ? "" : String(value);
	const short = text.length > LONGEST_TEXT ? text.slice(0, LONGEST_TEXT) + "…" : text;
	return short.search(INVISIBLE) < 0
		? short
		: short.replace(INVISIBLE, (one) => "\\u" + one.charCodeAt(0).toString(16).padStart(4, "0"));
}

const list = (value) => (Array.isArray(value) ? value : []);
const object = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value : {});
const number = (value, fallback = null) =>
	typeof value === "number" && Number.isFinite(value) ? value : fallback;

const READ_BY_PEOPLE = new Set(["title", "aria-label"]);
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes || {})) {
		if (value === null || value === undefined || value === false) continue;
		if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
		else if (name === "text") node.textContent = clean(value);
		else
			node.setAttribute(
				name,
				value === true ? "" : READ_BY_PEOPLE.has(name) ? clean(value) : String(value),
			);
	}
	for (const child of children.flat(Infinity))
		if (child !== null && child !== undefined && child !== false && child !== "")
			node.append(child instanceof Node ? child : clean(child));
	return node;
}

// el("td.number", {title: "…"}, children…): children are nodes or text.
function el(what, attributes, ...children) {
	const [tag, ...classes] = what.split(".");
	const node = document.createElement(tag);
	if (classes.length) node.className = classes.join(" ");
	return fill(node, attributes, children);
}

function svg(tag, attributes, ...children) {
	return fill(document.createElementNS(SVG, tag), attributes, children);
}

const byId = (id) => document.getElementById(id);

function show(node, ...children) {
	node.replaceChildren(...children.flat(Infinity).filter(Boolean));
	node.hidden = !node.firstChild;
	return node;
}

const grouped = new Intl.NumberFormat("en-US");
const count = (n) => (number(n) === null ? "?" : grouped.format(n));
const many = (n, one, more = one + "s") => count(n) + " " + (n === 1 ? one : more);
const percent = (part, whole) => {
	const share = whole ? (100 * part) / whole : 0;
	return (share >= 10 || share === 0 ? share.toFixed(0) : share.toFixed(1)) + "%";
};

// 0.42 -> "420 ms", 312 -> "5m 12s"
function age(seconds) {
	if (number(seconds) === null) return "unknown";
	const two = (n) => String(Math.floor(n)).padStart(2, "0");
	if (seconds < 1) return Math.round(seconds * 1000) + " ms";
	if (seconds < 60) return (seconds < 10 ? Math.floor(seconds * 10) / 10 : Math.floor(seconds)) + " s";
	if (seconds < 3600) return Math.floor(seconds / 60) + "m " + two(seconds % 60) + "s";
	if (seconds < 86400) return Math.floor(seconds / 3600) + "h " + two((seconds % 3600) / 60) + "m";
	return Math.floor(seconds / 86400) + "d " + Math.floor((seconds % 86400) / 3600) + "h";
}

function bytes(n) {
	if (number(n) === null) return "unknown";
	const units = ["B", "KiB", "MiB", "GiB"];
	let unit = 0;
	for (; n >= 1024 && unit < units.length - 1; unit++) n /= 1024;
	return (unit && n < 10 ? n.toFixed(1) : Math.round(n)) + " " + units[unit];
}

// Milliseconds since 1970, or null.
function when(text) {
	const ms = typeof text === "string" ? Date.parse(text) : NaN;
	return Number.isFinite(ms) ? ms : null;
}

// "2026-05-04 09:41:30", in UTC like the logs that it will be compared with.
function stamp(ms) {
	return ms === null ? "unknown" : new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}

const baseName = (path) => clean(path).replace(/.*\/(?=.)/, "");

// For screen readers, and for tests.
function say(text) {
	byId("said").textContent = clean(text);
}

async function copy(text, button) {
	const done = (await copyByClipboard(text)) || copyBySelection(text);
	const before = button.textContent;
	button.textContent = done ? "Copied" : "Not allowed";
	say(done ? "Copied" : "The browser does not allow copying");
	setTimeout(() => (button.textContent = before), 1500);
}

async function copyByClipboard(text) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		return false; // no permission, or a page that is not from a secure place
	}
}

function copyBySelection(text) {
	const area = el("textarea.unseen", {readonly: true});
	area.value = text;
	document.body.append(area);
	area.select();
	const done = document.execCommand("copy");
	area.remove();
	return done;
}

function copyButton(text, label = "Copy") {
	return el(
		"button.small.copy",
		{
			type: "button",
			onclick: (event) => {
				event.stopPropagation();
				copy(text(), event.currentTarget);
			},
		},
		label,
	);
}

// The one tooltip, for charts: beside the pointer, or below a focused mark.
const tip = {
	show(x, y, ...lines) {
		const box = show(
			byId("tip"),
			lines.filter(Boolean).map((line, i) => el(i ? "div" : "strong", {text: line})),
		);
		const left = Math.max(4, Math.min(x + 14, innerWidth - box.offsetWidth - 4));
		const below = y + 16 + box.offsetHeight < innerHeight;
		box.style.left = left + "px";
		box.style.top = Math.max(4, below ? y + 16 : y - box.offsetHeight - 10) + "px";
	},
	at(event, node, ...lines) {
		const place = node.getBoundingClientRect();
		if (event.type === "focus" || event.type === "focusin")
			tip.show(place.left, place.bottom - 10, ...lines);
		else tip.show(event.clientX, event.clientY, ...lines);
	},
	hide() {
		byId("tip").hidden = true;
	},
};

// A choice of one of several, as buttons in a row.
function choice(name, label, options, value, onchange) {
	return el(
		"div.choice",
		{role: "group", "aria-label": label},
		options.map(([key, text]) =>
			el(
				"button.small",
				{
					type: "button",
					"data-choice": name,
					"data-value": key,
					"aria-pressed": String(key === value),
					onclick: () => onchange(key),
				},
				text,
			),
		),
	);
}
