// tree.js: the merged stacks as a tree that folds.
//
// Frames that only have one continuation are lines of one item, so that only real branches are indented.

const AT_MOST_EXPANDED = 500; // items that "expand all" opens: more are no help to anybody

function chainFrom(node) {
	const chain = [node];
	for (let at = node; at.children.size === 1;) {
		const only = childrenOf(at)[0];
		if (only.count !== at.count) break; // some stacks end here
		chain.push((at = only));
	}
	return chain;
}

function treeLine(node) {
	const {frame, name, parent} = node;
	const entered = frame && frame.file && frame.module !== parent.frame?.module; // the program, where it begins
	return el(
		"div.line" + (frame ? (frame.library ? ".library" : "") : ".call"),
		{title: frame ? frame.path || frame.address : null},
		el("span.function", {text: name}),
		frame && frame.where !== name ? el("span.where", {text: frame.where}) : null,
		entered ? el("span.where", {text: "in " + frame.module}) : null,
	);
}

function treeItem(node, level, total) {
	const chain = chainFrom(node),
		last = chain[chain.length - 1];
	const leaf = !last.children.size;
	const gauge = el("span.gauge", {"aria-hidden": "true"}, el("i"));
	gauge.firstChild.style.width = (100 * node.count) / total + "%";
	const item = el(
		"li",
		{role: "treeitem", "aria-level": level, tabindex: -1, "aria-expanded": leaf ? null : "false"},
		el(
			"div.item",
			{},
			el("span.fold", {"aria-hidden": "true"}),
			el(
				"span.weight",
				{title: many(node.findings, "finding")},
				el("b", {text: count(node.count)}),
				gauge,
				el("span.muted", {text: percent(node.count, total)}),
			),
			el("div.lines", {}, chain.map(treeLine)),
		),
	);
	item.below = leaf ? null : () => childrenOf(last).map((child) => treeItem(child, level + 1, total));
	return item;
}

function unfold(item, open) {
	if (!item.below || (item.getAttribute("aria-expanded") === "true") === open) return;
	item.setAttribute("aria-expanded", String(open));
	if (open && !item.group) item.append((item.group = el("ul", {role: "group"}, item.below())));
	item.group.hidden = !open;
}

function unfoldAll(tree, open) {
	const waiting = [...tree.children];
	for (let opened = 0; waiting.length && (!open || opened < AT_MOST_EXPANDED);) {
		const item = waiting.shift();
		if (item.below && (open || item.group)) {
			unfold(item, open);
			waiting.push(...(item.group ? item.group.children : []));
			opened++;
		}
	}
}

// The first branches are open from the start, along what holds at least a tenth.
function unfoldLargest(tree, total) {
	const waiting = [...tree.children];
	for (let opened = 0; waiting.length && opened < 12; opened++) {
		const item = waiting.shift();
		unfold(item, true);
		waiting.push(
			...(item.group
				? [...item.group.children].filter(
						(child) =>
							Number(
								child
									.querySelector("b")
									.textContent.replaceAll(",", ""),
							) >=
							total / 10,
					)
				: []),
		);
	}
}

const visibleItems = (tree) =>
	[...tree.querySelectorAll("[role=treeitem]")].filter((item) => !item.closest("[hidden]"));

function focusItem(tree, item) {
	if (!item) return;
	for (const one of tree.querySelectorAll("[tabindex='0']")) one.tabIndex = -1;
	item.tabIndex = 0;
	item.focus();
}

function onTreeKey(event) {
	const tree = event.currentTarget,
		item = event.target.closest("[role=treeitem]");
	if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
	const items = visibleItems(tree),
		at = items.indexOf(item),
		open = item.getAttribute("aria-expanded");
	const keys = {
		ArrowDown: () => focusItem(tree, items[at + 1]),
		ArrowUp: () => focusItem(tree, items[at - 1]),
		Home: () => focusItem(tree, items[0]),
		End: () => focusItem(tree, items[items.length - 1]),
		ArrowRight: () =>
			open === "false" ? unfold(item, true) : open && focusItem(tree, items[at + 1]),
		ArrowLeft: () =>
			open === "true"
				? unfold(item, false)
				: focusItem(tree, item.parentElement.closest("[role=treeitem]")),
		Enter: () => unfold(item, open === "false"),
		" ": () => unfold(item, open === "false"),
	};
	if (Object.hasOwn(keys, event.key)) {
		event.preventDefault();
		keys[event.key]();
	}
}

function onTreeClick(event) {
	const item = event.target.closest("[role=treeitem]");
	if (!item || getSelection().toString()) return;
	focusItem(event.currentTarget, item);
	unfold(item, item.getAttribute("aria-expanded") === "false");
}

function drawTree(panel, view) {
	const {root, without} = mergeStacks(view.findings, view.state.stack, byLine);
	const tree = el(
		"ul.tree",
		{
			role: "tree",
			"aria-label": `Merged stacks: ${PLACES[view.state.stack]}`,
			onkeydown: onTreeKey,
			onclick: onTreeClick,
		},
		childrenOf(root).map((node) => treeItem(node, 1, root.count)),
	);
	if (tree.firstChild) tree.firstChild.tabIndex = 0;
	unfoldLargest(tree, root.count);
	show(
		panel,
		el(
			"div.tools",
			{},
			placeChoice(view),
			el(
				"button.small",
				{type: "button", "data-unfold": "all", onclick: () => unfoldAll(tree, true)},
				"Expand all",
			),
			el(
				"button.small",
				{type: "button", "data-unfold": "none", onclick: () => unfoldAll(tree, false)},
				"Collapse all",
			),
		),
		el(
			"p.lead",
			{},
			"From the outermost caller down to the call; the figure is how many sockets came this way.",
		),
		tree.firstChild ? tree : el("p.empty", {}, "There is no such stack among these findings."),
		withoutText(without, view.state.stack),
	);
}
