// Requests to the API. An access token that has expired is renewed unseen; when the session itself is over, a dialog asks for a new
// login and the request goes on after it.
import { forget, keepTokens, tokens } from "./session.js";
import { language, t } from "./text.js";

/** The root of the API: the folder above the app. */
export const ROOT = new URL("../", document.baseURI);

/** A response that is no success, or none at all (status 0). */
export class Failure extends Error {
	/** @param {number} status @param {string[]} errors @param {number} retryAfter seconds, 0: not told */
	constructor(status, errors, retryAfter = 0) {
		super(errors.join("\n"));
		Object.assign(this, { status, errors, retryAfter });
	}
}

let loginAgain = null;

/** `dialog`: asks the person to log in again; returns a promise of true, or false when they leave. */
export function onSessionOver(dialog) {
	loginAgain = dialog;
}

/**
 * Sends a request.
 * @param {string} method
 * @param {string} path as in the reference, "/courses"
 * @param {Object} [options]
 * @param {any} [options.body] sent as JSON; FormData as a form
 * @param {Object} [options.query] left out: null, undefined and ""
 * @param {string} [options.etag] If-Match
 * @param {AbortSignal} [options.signal]
 * @param {boolean} [options.anonymous] without token
 * @param {boolean} [options.blob] the response is a file
 * @returns {Promise<{data: any, etag: ?string, timestamp: string}>} timestamp: of the response, by the clock of the server
 * @throws {Failure}
 */
export async function request(method, path, options = {}) {
	const used = options.anonymous ? null : tokens();
	let response = await send(method, path, options, used);
	if (response.status === 401 && used) {
		await renew(used);
		response = await send(method, path, options, tokens());
	}
	if (response.status === 503 && method === "GET" && retryAfter(response) <= 5) {
		await pause(retryAfter(response) || 1, options.signal);
		response = await send(method, path, options, options.anonymous ? null : tokens());
	}
	if (options.blob && response.ok)
		return { data: await response.blob(), etag: null, name: fileName(response) };
	const envelope = await response.json().catch(() => null);
	if (response.ok && envelope)
		return { data: envelope.data, etag: response.headers.get("ETag"), timestamp: envelope.timestamp };
	throw new Failure(response.status, envelope?.errors ?? [t("error.unreadable", { status: String(response.status) })], retryAfter(response));
}

/** The data of a GET. */
export const get = async (path, query, options) => (await request("GET", path, { query, ...options })).data;

/** The URL of a path of the API. */
export function url(path, query = {}) {
	const address = new URL(path.slice(1), ROOT);
	for (const [name, value] of Object.entries(query))
		if (value !== null && value !== undefined && value !== "")
			address.searchParams.set(name, value);
	return address;
}

async function send(method, path, { body, query, etag, signal }, token) {
	const headers = { "Accept-Language": language() };
	if (token)
		headers.Authorization = `Bearer ${token.accessToken}`;
	if (etag)
		headers["If-Match"] = etag;
	if (body !== undefined && !(body instanceof FormData)) {
		headers["Content-Type"] = "application/json";
		body = JSON.stringify(body);
	}
	try {
		return await fetch(url(path, query), { method, headers, body, signal, credentials: "omit" });
	} catch (error) {
		if (signal?.aborted)
			throw error;
		throw new Failure(0, [t("error.offline")]);
	}
}

const retryAfter = (response) => Number(response.headers.get("Retry-After")) || 0;

function fileName(response) {
	const header = response.headers.get("Content-Disposition") ?? "";
	const encoded = /filename\*=UTF-8''([^;]+)/.exec(header);
	return encoded ? decodeURIComponent(encoded[1]) : /filename="([^"]+)"/.exec(header)?.[1];
}

/** Resolves after `seconds`. */
export const pause = (seconds, signal) =>
	new Promise((resolve, reject) => {
		const timer = setTimeout(resolve, seconds * 1000);
		signal?.addEventListener("abort", () => {
			clearTimeout(timer);
			reject(signal.reason);
		});
	});

// Tabs share the tokens: one renews them, the others find that done. (navigator.locks is missing without TLS; then the server takes
// a token that was replaced in the last ten seconds.)
const alone = (work) => (navigator.locks ? navigator.locks.request("okul.renew", work) : work());

/** Replaces the tokens `used`, or asks for a new login. Throws a Failure when the person leaves instead. */
async function renew(used) {
	const done = await alone(async () => {
		const now = tokens();
		if (now && now.accessToken !== used.accessToken)
			return true;
		const response = await send("POST", "/auth/refresh", { body: { refreshToken: used.refreshToken } });
		if (response.ok) {
			keepTokens((await response.json()).data);
			return true;
		}
		if (response.status >= 500 || response.status === 429)
			throw new Failure(response.status, (await response.json()).errors, retryAfter(response));
		return false;
	});
	if (!done && !(loginAgain && (await loginAgain())))
		throw new Failure(401, [t("error.session-over")]);
}

/**
 * Uploads a form and tells how far it is.
 * @param {string} method
 * @param {string} path
 * @param {FormData} form
 * @param {{onProgress?: (part: number) => void, signal?: AbortSignal, etag?: string}} [options] `part` is from 0 to 1
 * @returns {Promise<any>} the data of the response
 */
export async function upload(method, path, form, { onProgress, signal, etag } = {}) {
	await freshToken();
	signal?.throwIfAborted();
	return new Promise((resolve, reject) => {
		const xhr = new XMLHttpRequest();
		xhr.open(method, url(path));
		xhr.responseType = "json";
		xhr.setRequestHeader("Accept-Language", language());
		xhr.setRequestHeader("Authorization", `Bearer ${tokens()?.accessToken}`);
		if (etag)
			xhr.setRequestHeader("If-Match", etag);
		xhr.upload.onprogress = (event) => event.lengthComputable && onProgress?.(event.loaded / event.total);
		xhr.onload = () => (xhr.status < 300 && xhr.response ? resolve(xhr.response.data)
			: reject(new Failure(xhr.status, xhr.response?.errors ?? [t("error.unreadable", { status: String(xhr.status) })],
				Number(xhr.getResponseHeader("Retry-After")) || 0)));
		xhr.onerror = () => reject(new Failure(0, [t("error.offline")]));
		xhr.onabort = () => reject(signal.reason);
		signal?.addEventListener("abort", () => xhr.abort());
		xhr.send(form);
	});
}

/** A long upload must not begin with a token that has expired. */
const freshToken = () => request("GET", "/auth/registration/status");

/** Ends the session at the server and here. A server that cannot be reached does not keep anybody logged in. */
export async function logOut() {
	try {
		await request("POST", "/auth/logout");
	} catch { /* the token ends by itself */ }
	forget();
}

/** Saves a file that needs a token, under the name that the server gives it. */
export async function download(path, query, name) {
	const file = await request("GET", path, { query, blob: true });
	saveFile(file.data, file.name ?? name);
}

/** Hands a Blob to the person as a file. */
export function saveFile(blob, name) {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(blob);
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
