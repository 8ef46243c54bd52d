// The tokens of this browser. They are in localStorage on a person's own device, so that all tabs share them and the login lasts;
// on a shared device in sessionStorage, where they end with the tab. Both are out of reach of other origins, and the
// Content-Security-Policy lets no script of others run.

const KEY = "okul.session";
const OWN = "okul.own-device";

/** @returns {Storage[]} those that may be used, the one of a shared device first */
function stores() {
	try {
		return [sessionStorage, localStorage];
	} catch {
		return [];
	}
}

// Where storage is forbidden, the login lasts as long as the page.
let memory = null;

/** @returns {?{accessToken: string, refreshToken: string, userId: string}} */
export function tokens() {
	for (const store of stores()) {
		const text = store.getItem(KEY);
		if (text)
			return JSON.parse(text);
	}
	return memory;
}

/** Keeps the tokens of a login. `own`: this is the person's own device; without, as it was before. */
export function keepTokens({ accessToken, refreshToken, user }, own) {
	const value = { accessToken, refreshToken, userId: user?.id ?? tokens()?.userId };
	const [shared, lasting] = stores();
	const isOwn = own ?? !shared?.getItem(KEY);
	memory = value;
	try {
		(isOwn ? lasting : shared).setItem(KEY, JSON.stringify(value));
		(isOwn ? shared : lasting).removeItem(KEY);
		lasting.setItem(OWN, isOwn ? "1" : "0");
	} catch { /* kept in memory alone */ }
}

/** Was the last login one on the person's own device? True before the first. */
export function wasOwnDevice() {
	try {
		return localStorage.getItem(OWN) !== "0";
	} catch {
		return false;
	}
}

/** Forgets the tokens, and all that this browser keeps of that person. */
export function forget() {
	memory = null;
	for (const store of stores())
		for (const key of Object.keys(store))
			if (key === KEY || key.startsWith("okul.kept."))
				store.removeItem(key);
}

/** Calls `work` when another tab logs in, out, or as somebody else. */
export function onOtherTab(work) {
	addEventListener("storage", (event) => {
		if (event.key !== KEY)
			return;
		const [before, after] = [event.oldValue, event.newValue].map((text) => (text ? JSON.parse(text).userId : null));
		if (before !== after)
			work();
	});
}
