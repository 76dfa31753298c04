// flame.js: the merged stacks as a flame graph; the outermost caller is at the top, width is the number of sockets.
//
// Frames are elements and not a painted canvas: they take the focus, the theme and the printer as all else does.

const FLAME_ROW = 22; // pixels
const NARROWEST = 2; // pixels: what is narrower would not be seen
const NARROWEST_TEXT = 28; // pixels
const HUES = 6;

// The colours of modules, in the order in which they come from the left: neighbours differ.
function huesOf(root) {
	const hues = new Map();
	const visit = (node) => {
		if (node.frame && !node.frame.library && !hues.has(node.frame.module))
			hues.set(node.frame.module, hues.size % HUES);
		childrenOf(node).forEach(visit);
	};
	visit(root);
	return hues;
}

// Places of all frames that can be seen while `zoomed` fills the width: [{node, left, width}], parents first.
function flameLayout(zoomed, width) {
	const placed = [];
	for (let at = zoomed.parent; at; at = at.parent)
		placed.unshift({node: at, left: 0, width, above: true});
	const below = (node, left, share) => {
		placed.push({node, left, width: share});
		let x = left;
		for (const child of childrenOf(node)) {
			const part = (share * child.count) / node.count;
			if (part >= NARROWEST) below(child, x, part);
			x += part;
		}
	};
	below(zoomed, 0, width);
	return placed;
}

function flameTitle(node, total) {
	const {frame} = node;
	return [
		node.name,
		frame ? [frame.path || frame.address, frame.module].filter(Boolean).join(" · ") : "",
		`${many(node.count, "socket")} (${percent(node.count, total)}), ${many(node.findings, "finding")}`,
	];
}

class Flame {
	// upwards: the root is at the bottom.
	constructor(root, upwards = false) {
		this.upwards = upwards;
		this.root = this.zoomed = root;
		this.hues = huesOf(root);
		this.words = "";
		this.status = el("p.flame-status.muted", {role: "status", "aria-live": "polite"});
		this.box = el("div.flame", {
			role: "group",
			"aria-label": "Flame graph; arrow keys move, Enter zooms, Escape resets",
			onclick: (event) => this.withNode(event, (node) => this.zoom(node)),
			onkeydown: (event) => this.onKey(event),
			onpointermove: (event) =>
				this.withNode(event, (node) =>
					tip.at(event, event.target, ...flameTitle(node, root.count)),
				),
			onpointerleave: tip.hide,
			onfocusin: (event) => this.withNode(event, (node) => (this.focused = node)),
		});
		this.reset = el(
			"button.small",
			{type: "button", "data-flame": "reset", disabled: true, onclick: () => this.zoom(root)},
			"Reset zoom",
		);
		this.search = el("input", {
			type: "search",
			"aria-label": "Highlight functions",
			placeholder: "Highlight…",
			oninput: () => this.highlight(this.search.value),
		});
	}

	withNode(event, use) {
		const node =
			event.target.closest("[data-at]") &&
			this.placed[event.target.closest("[data-at]").dataset.at]?.node;
		if (node) use(node);
		else tip.hide();
	}

	draw() {
		const width = this.box.clientWidth;
		if (!width) return;
		this.placed = flameLayout(this.zoomed, width);
		this.deepest = this.placed.reduce((most, {node}) => Math.max(most, node.depth), 0);
		this.box.style.height = (1 + this.deepest) * FLAME_ROW + "px";
		this.box.replaceChildren(...this.placed.map((place, i) => this.frame(place, i)));
		this.reset.disabled = this.zoomed === this.root;
		this.describe();
	}

	frame({node, left, width, above}, i) {
		const {frame} = node,
			kind = frame
				? frame.library
					? "library"
					: "hue" + this.hues.get(frame.module)
				: node.parent
					? "call"
					: "all";
		const box = el(
			"div.f." + kind + (above ? ".above" : "") + (this.hits(node) ? ".hit" : ""),
			{
				"data-at": i,
				role: "button",
				tabindex: node === this.zoomed ? 0 : -1,
				"aria-label": flameTitle(node, this.root.count).join(", "),
			},
			width >= NARROWEST_TEXT ? node.name : "",
		);
		box.style.left = left + "px";
		box.style.width = Math.max(1, width - 1) + "px";
		box.style.top = (this.upwards ? this.deepest - node.depth : node.depth) * FLAME_ROW + "px";
		return box;
	}

	zoom(node) {
		const hadFocus = this.box.contains(document.activeElement);
		this.zoomed = node;
		tip.hide();
		this.draw();
		if (hadFocus) this.focus(node);
		this.describe();
	}

	focus(node) {
		const at = this.placed.findIndex((place) => place.node === node);
		if (at < 0) return;
		for (const one of this.box.querySelectorAll("[tabindex='0']")) one.tabIndex = -1;
		this.box.children[at].tabIndex = 0;
		this.box.children[at].focus();
		this.status.textContent = flameTitle(node, this.root.count).join(" — ");
	}

	onKey(event) {
		const node = this.focused,
			siblings = node?.parent ? childrenOf(node.parent) : [node];
		const moves = {
			ArrowUp: () => this.focus(this.upwards ? childrenOf(node)[0] : node.parent),
			ArrowDown: () => this.focus(this.upwards ? node.parent : childrenOf(node)[0]),
			ArrowLeft: () => this.focus(siblings[siblings.indexOf(node) - 1]),
			ArrowRight: () => this.focus(siblings[siblings.indexOf(node) + 1]),
			Enter: () => this.zoom(node),
			" ": () => this.zoom(node),
			Escape: () => this.zoom(this.root),
		};
		if (node && Object.hasOwn(moves, event.key)) {
			event.preventDefault();
			moves[event.key]();
		}
	}

	hits(node) {
		return (
			this.words &&
			[node.name, node.frame?.search || ""].join(" ").toLowerCase().includes(this.words)
		);
	}

	highlight(text) {
		this.words = text.trim().toLowerCase();
		for (const [i, {node}] of this.placed.entries())
			this.box.children[i].classList.toggle("hit", Boolean(this.hits(node)));
		this.describe();
	}

	// Sockets below a frame that matches, each once.
	matched(node = this.zoomed) {
		return this.hits(node)
			? node.count
			: childrenOf(node).reduce((sum, child) => sum + this.matched(child), 0);
	}

	describe() {
		const zoomed =
			this.zoomed === this.root
				? ""
				: "Zoomed to " + flameTitle(this.zoomed, this.root.count).join(" — ");
		const share = this.words && percent(this.matched(), this.zoomed.count);
		const found = this.words ? `“${this.search.value.trim()}” is in ${share} of what is shown` : "";
		this.status.textContent =
			[zoomed, found].filter(Boolean).join(". ") || "Click a frame to zoom into it.";
	}
}

function drawFlame(panel, view) {
	const {root, without} = mergeStacks(view.findings, view.state.stack, byFunction),
		flame = new Flame(root);
	const folded = () => foldedText(view.findings, view.state.stack);
	const text = el(
		"details.as-text",
		{ontoggle: () => text.open && (text.lastChild.textContent = folded())},
		el("summary", {}, "The same as text"),
		copyButton(folded, "Copy folded stacks"),
		el("pre", {tabindex: 0}),
	);
	show(
		panel,
		el("div.tools", {}, placeChoice(view), flame.search, flame.reset),
		flame.status,
		root.count ? flame.box : el("p.empty", {}, "There is no such stack among these findings."),
		withoutText(without, view.state.stack),
		root.count ? text : null,
	);
	flame.draw();
	view.onresize = () => flame.draw();
}
