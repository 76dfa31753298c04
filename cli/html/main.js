// main.js: starts the page: reads the data, draws the view that the address asks for, and follows keys and clicks.

const VIEWS = {
	diff: ["Changes", drawDiff],
	findings: ["Findings", drawFindings],
	stacks: ["Stacks", drawTree],
	flame: ["Flame graph", drawFlame],
	sandwich: ["Sandwich", drawSandwich],
	timeline: ["Timeline", drawTimeline],
	delays: ["Close delays", drawDelays],
	sources: ["Sources", drawSources],
};

// Those that this report has something for.
const views = () => Object.keys(VIEWS).filter((name) => name !== "diff" || view.model.diff);

const view = {
	model: null,
	state: null,
	findings: [],
	onresize: null,
	reveal: false,

	// Draws what changed. `replace`: a step that the back button need not take.
	set(changes, {replace = false} = {}) {
		Object.assign(view.state, changes);
		const hash = hashOf(view.state);
		if (hash !== (location.hash || "#"))
			history[replace ? "replaceState" : "pushState"](
				null,
				"",
				hash === "#" ? location.pathname + location.search : hash,
			);
		redraw();
	},
	clear() {
		view.set({...Object.fromEntries(FILTERS.map((key) => [key, START[key]])), page: 1});
	},
	toggle(finding) {
		view.set({finding: view.state.finding === finding.id ? "" : finding.id}, {replace: true});
		focusRow(finding.id);
	},
	close() {
		const id = view.state.finding;
		view.set({finding: ""}, {replace: true});
		focusRow(id);
	},
	// From another view to the finding in the table.
	open(finding) {
		view.reveal = true;
		view.set({view: "findings", finding: finding.id});
		focusRow(finding.id);
	},
};

function focusRow(id) {
	const at = document.querySelector(`tr.finding[data-id="${CSS.escape(id)}"]`);
	if (!at) return;
	for (const one of document.querySelectorAll("tr.finding[tabindex='0']")) one.tabIndex = -1;
	at.tabIndex = 0;
	at.focus({preventScroll: true});
	at.scrollIntoView({block: "nearest"});
}

function keepingFocus(draw) {
	const at = document.activeElement,
		of = at?.closest?.("th[data-column], [data-choice], [data-page]");
	const keys =
		of &&
		Object.entries(of.dataset)
			.map(([name, value]) => `[data-${name}="${CSS.escape(value)}"]`)
			.join("");
	draw();
	if (keys && !document.contains(at)) {
		const again = document.querySelector(keys);
		(again?.matches("th") ? again.querySelector("button") : again)?.focus();
	}
}

function redraw() {
	const {state, model} = view;
	tip.hide();
	view.findings = filtered(model, state);
	view.onresize = null;
	keepingFocus(() => {
		syncFilters(view);
		drawShown(view);
		for (const name of views()) markTab(name, name === state.view);
		VIEWS[state.view][1](byId("panel-" + state.view), view);
	});
	view.reveal = false;
}

function markTab(name, active) {
	const tab = byId("tab-" + name);
	tab.setAttribute("aria-selected", String(active));
	tab.tabIndex = active ? 0 : -1;
	if (active && tab.parentElement.scrollWidth > tab.parentElement.clientWidth)
		tab.parentElement.scrollLeft = tab.offsetLeft - 40;
	byId("panel-" + name).hidden = !active;
}

function onTabKey(event) {
	const step = {ArrowRight: 1, ArrowLeft: -1}[event.key],
		names = views();
	if (!step) return;
	event.preventDefault();
	const next = names[(names.indexOf(view.state.view) + step + names.length) % names.length];
	view.set({view: next});
	byId("tab-" + next).focus();
}

function drawFrame() {
	const tabs = views().map((name) =>
		el(
			"button",
			{
				type: "button",
				role: "tab",
				id: "tab-" + name,
				"aria-controls": "panel-" + name,
				onclick: () => view.set({view: name}),
			},
			VIEWS[name][0],
		),
	);
	show(byId("tabs"), tabs).addEventListener("keydown", onTabKey);
	show(
		byId("main"),
		views().map((name) =>
			el("section.panel", {
				role: "tabpanel",
				id: "panel-" + name,
				"aria-labelledby": "tab-" + name,
				hidden: true,
			}),
		),
	);
	byId("toolbar").hidden = false;
}

const THEMES = ["auto", "light", "dark"];

function remembered(value) {
	try {
		// a page from a file may be refused to remember anything
		if (value !== undefined) localStorage.setItem("closeguard-theme", value);
		return localStorage.getItem("closeguard-theme");
	} catch {
		return null;
	}
}

function setTheme(theme) {
	if (theme === "auto") delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = theme;
	byId("theme").textContent = "Theme: " + theme;
}

function startTheme() {
	let theme = THEMES.includes(remembered()) ? remembered() : "auto";
	setTheme(theme);
	byId("theme").hidden = false;
	byId("theme").addEventListener("click", () => {
		theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
		setTheme(theme);
		remembered(theme);
	});
}

function startSave(text) {
	byId("save").hidden = false;
	byId("save").addEventListener("click", () => {
		const url = URL.createObjectURL(new Blob([wholeDocument(text)], {type: "application/json"}));
		el("a", {href: url, download: "closeguard-report.json"}).click();
		setTimeout(() => URL.revokeObjectURL(url), 60000);
	});
}

function onKey(event) {
	const typing = event.target.closest("input, select, textarea");
	if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !byId("filters").hidden) {
		event.preventDefault();
		byId("q").focus();
		byId("q").select();
	} else if (event.key === "Escape") {
		tip.hide();
		if (event.target.id === "q") event.target.blur();
		else if (
			!event.defaultPrevented &&
			!typing &&
			view.state.finding &&
			view.state.view === "findings"
		)
			view.close();
	}
}

// On paper, all views stand below each other.
function beforePrint() {
	for (const name of views())
		if (name !== view.state.view) {
			byId("panel-" + name).hidden = false;
			VIEWS[name][1](byId("panel-" + name), view);
		}
}

function follow() {
	let waiting = 0;
	(window.requestIdleCallback || setTimeout)(() => view.model.findings.forEach(ownText)); // for the first search
	addEventListener("keydown", onKey);
	addEventListener("beforeprint", beforePrint);
	addEventListener("afterprint", redraw);
	addEventListener("scroll", tip.hide, {passive: true});
	addEventListener("popstate", () => {
		view.state = stateFrom(location.hash);
		if (!views().includes(view.state.view)) view.state.view = START.view;
		view.reveal = Boolean(view.state.finding);
		redraw();
	});
	addEventListener("resize", () => {
		cancelAnimationFrame(waiting);
		waiting = requestAnimationFrame(() => view.onresize?.());
	});
	new ResizeObserver(() =>
		document.documentElement.style.setProperty("--toolbar", byId("toolbar").offsetHeight + "px"),
	).observe(byId("toolbar"));
}

function start() {
	startTheme();
	const text = byId("data").textContent;
	view.model = read(text);
	view.state = stateFrom(location.hash);
	if (view.state.view === "diff" && !view.model.diff) view.state.view = START.view;
	// What was asked for is what has changed.
	if (view.model.diff && !location.hash) view.state.view = "diff";
	// One finding only: what else would one want to see?
	if (view.model.findings.length === 1 && !location.hash) view.state.finding = view.model.findings[0].id;
	view.reveal = Boolean(view.state.finding);
	startSave(text);
	drawSummary(view.model);
	drawWarnings(view.model);
	drawFrame();
	if (view.model.findings.length) drawFilters(view);
	redraw();
	follow();
	if (view.state.finding)
		document.querySelector(
			`tr.finding[data-id="${CSS.escape(view.state.finding)}"]`,
		)?.scrollIntoView({block: "nearest"});
	document.documentElement.dataset.ready = "";
}

try {
	start();
} catch (error) {
	byId("failure").hidden = false;
	byId("failure").textContent = "This report cannot be drawn: " + clean(error && error.message);
	throw error;
}
