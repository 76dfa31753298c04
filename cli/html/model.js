// model.js: the report as this page uses it. Any member of the document may be missing.
//
// The page holds each frame once, and stacks as indices into them: {"frames": […], "report": {…}}. Ten thousand
// findings are a tenth as large that way.

// Frames of these are where a program ended up, not where it decided anything.
const LIBRARY = /^(lib[^/]*\.so|ld-|ld\.so|linux-vdso|\[vdso)/;

class Frame {
	constructor(given) {
		const raw = object(given),
			line = number(raw.line);
		this.module = baseName(raw.module);
		this.address = addressOf(this.module, raw.offset);
		this.file = clean(raw.file);
		this.path = this.file && line !== null ? this.file + ":" + line : this.file;
		this.name = clean(raw.function) || runOf(this.module, number(raw.frames)) || this.address || "unknown code";
		this.inlined = raw.inlined === true;
		this.library = LIBRARY.test(this.module);
	}

	// The line, and where that is not known the address.
	get where() {
		return this.path ? baseName(this.path) : this.address;
	}

	get search() {
		return (this.lower ??= [this.name, this.module, this.path, this.address]
			.join(" ")
			.toLowerCase());
	}

	get hash() {
		return (this.hashed ??= hashOfText(this.name + this.address, 0));
	}
}

// A log tells a run of a runtime's own frames as one.
function runOf(module, frames) {
	return frames > 1 ? `${frames} frames of ${module === "[jit]" ? "generated code" : module}` : "";
}

function addressOf(module, offset) {
	const text = clean(typeof offset === "number" ? "0x" + offset.toString(16) : offset);
	return module + (text && !text.startsWith("+") ? "+" + text : text);
}

// FNV-1a.
function hashOfText(text, before) {
	let hash = before ^ 2166136261;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
	return hash;
}

// The library keeps 64 frames at most. A document that has many more is not from it, and trees must not get so deep.
const DEEPEST = 256;

function stackOf(place, frames) {
	const indices = list(place.stack).slice(0, DEEPEST);
	return indices.map((at) => frames[at]).filter(Boolean);
}

function placesOf(raw, frames) {
	const places = new Map();
	for (const key of Object.keys(PLACES)) {
		if (!raw[key] || typeof raw[key] !== "object") continue;
		const place = object(raw[key]);
		places.set(key, {
			key,
			call: clean(place.call),
			thread: clean(place.thread),
			age: number(place.age_s),
			stack: stackOf(place, frames),
		});
	}
	return places;
}

// The frame of one that is to be named, and is not the virtual machine's own beyond generated code; -1: none.
function siteIndex(stack) {
	const own = stack.findIndex((frame) => !frame.library);
	return own >= 0 && stack[own].module === "[jit]" ? -1 : own;
}

// The report says which place a finding is named by. Where one says nothing: the call itself, else where the end was
// read, else the last use, else the opening; of these the first that has a frame of the program itself.
function siteOf(raw, places) {
	if (raw.site && typeof raw.site === "object") return new Frame(raw.site);
	const stacks = ["here", "eof", "last_use", "opened", "connected"]
		.map((key) => places.get(key)?.stack || [])
		.filter((stack) => stack.length);
	const telling = stacks.find((stack) => siteIndex(stack) >= 0);
	return telling ? telling[siteIndex(telling)] : stacks[0]?.[0] || null;
}

// Links to a finding hold when the report is made anew: its id follows from what groups it, not from its position.
function idOf(raw, places, taken) {
	let hash = hashOfText([clean(raw.kind), clean(raw.cause), clean(raw.label)].join("\n"), 0);
	for (const {key, call, stack} of places.values()) {
		hash = hashOfText(key + call, hash);
		// Of a last use the call is known, and its callers now and then.
		for (const frame of key === "last_use" ? stack.slice(0, 1) : stack) hash = Math.imul(hash ^ frame.hash, 16777619);
	}
	let id = (hash >>> 0).toString(16).padStart(8, "0");
	for (let n = 2; taken.has(id); n++) id = id.split("-")[0] + "-" + n;
	taken.add(id);
	return id;
}

// Per minute, as its processes measured it: count divided by age would call a burst of yesterday a growth of today.
function rateOf(finding, raw) {
	return finding.resolved ? null : number(raw.growth_per_min);
}

const processName = (one) => clean(one.pid ?? "?") + (one.host ? "@" + clean(one.host) : "");

function processesOf(raw) {
	return list(raw.processes).map((one) => {
		const {host, pid, app, count} = object(one);
		return {
			host: clean(host),
			pid,
			app: clean(app),
			count: number(count),
			name: processName(object(one)),
		};
	});
}

function findingOf(given, frames, taken) {
	const raw = object(given),
		places = placesOf(raw, frames),
		processes = processesOf(raw);
	const finding = {
		id: idOf(raw, places, taken),
		raw,
		places,
		processes,
		kind: clean(raw.kind),
		cause: clean(raw.cause),
		verdict: clean(raw.verdict) || "info",
		confidence: number(raw.confidence),
		count: number(raw.count, 0),
		total: number(raw.total),
		oldest: number(raw.oldest_age_s),
		advice: clean(raw.advice),
		origin: clean(raw.origin),
		label: clean(raw.label),
		first: when(raw.first_seen),
		last: when(raw.last_seen),
		resolved: raw.status === "resolved",
		sockets: list(raw.sockets).map(object),
		history: raw.history ? object(raw.history) : null,
		site: siteOf(raw, places),
		apps: [...new Set(processes.map((one) => one.app).filter(Boolean))],
		hosts: [...new Set(processes.map((one) => one.host).filter(Boolean))],
	};
	finding.rate = rateOf(finding, raw);
	finding.weight = finding.count || finding.total || 1; // for trees: a resolved finding still shows where it was
	return finding;
}

// Made after the first picture, or at the first search: 10,000 of them take a tenth of a second.
function ownText(finding) {
	if (finding.search === undefined) {
		const parts = [
			finding.kind,
			kindLabel(finding.kind),
			finding.cause,
			causeLabel(finding.cause),
			finding.verdict,
			finding.label,
			finding.origin,
			finding.id,
		];
		for (const one of finding.processes) parts.push(one.app, one.name);
		for (const socket of finding.sockets)
			parts.push(clean(socket.local), clean(socket.peer), clean(socket.host));
		for (const place of finding.places.values()) parts.push(place.call, place.thread);
		finding.search = parts.join(" ").toLowerCase();
	}
	return finding.search;
}

function read(text) {
	const data = object(JSON.parse(text)),
		report = object(data.report);
	const frames = list(data.frames).map((one) => new Frame(one)),
		taken = new Set();
	return {
		raw: report,
		frames,
		time: when(report.time),
		generator: clean(report.generator),
		findings: list(report.findings).map((one) => findingOf(one, frames, taken)),
		sources: list(report.sources).map(object),
		timeline: list(report.timeline).map(object),
		actions: list(report.actions).map(object),
		warnings: list(report.warnings).map(clean),
		diff: diffOf(report.diff, frames),
	};
}

// The document as `closeguard report` made it, with whole stacks.
function wholeDocument(text) {
	const {frames, report} = JSON.parse(text);
	for (const finding of [...list(report.findings), ...list(object(report.diff).findings)])
		for (const place of Object.values(object(finding)))
			if (place && Array.isArray(place.stack))
				place.stack = place.stack.map((at) => frames[at]);
	return JSON.stringify(report, null, 1) + "\n";
}
