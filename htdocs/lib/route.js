// Addresses are fragments, #/users?search=ay: they work from any folder of any web server.

/** @returns {{path: string, query: URLSearchParams}} of the address, or of a fragment */
export function readAddress(fragment = location.hash) {
	const [path, query = ""] = fragment.replace(/^#/, "").split("?");
	return { path: path || "/", query: new URLSearchParams(query) };
}

/** Changes the query of the address without opening the screen again. null removes a name. */
export function changeQuery(names) {
	const { path, query } = readAddress();
	for (const [name, value] of Object.entries(names))
		value === null || value === undefined || value === "" ? query.delete(name) : query.set(name, value);
	history.replaceState(history.state, "", address(path, query));
}

/** "#/users?search=ay" */
export function address(path, query) {
	const text = new URLSearchParams(query ?? "").toString();
	return `#${path}${text ? `?${text}` : ""}`;
}

export const go = (path, query) => {
	location.hash = address(path, query);
};

let guard = null;

/** `isDirty` is asked before the screen is left; the next screen has none. */
export function guardLeaving(isDirty) {
	guard = isDirty;
}

export const mayLeave = (question) => !guard?.() || confirm(question);

addEventListener("beforeunload", (event) => {
	if (guard?.())
		event.preventDefault();
});
