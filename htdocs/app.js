// The web app: who is there, the menu, and which screen an address opens.
import { get, logOut, onSessionOver } from "./lib/api.js";
import { notify } from "./lib/dialog.js";
import { fill, h, icon } from "./lib/dom.js";
import { failureBox } from "./lib/failure.js";
import { address, guardLeaving, mayLeave, readAddress } from "./lib/route.js";
import { onOtherTab, tokens } from "./lib/session.js";
import { LANGUAGES, language, t, useLanguage } from "./lib/text.js";

// Address, file in screens/, its function, least role. A screen takes { params, query, user } and returns what is shown.
const ROUTES = [
	["/", "home", "home", "public"],
	["/login", "login", "login", "public"],
	["/setup", "setup", "setup", "public"],
	["/register", "register", "register", "unregistered"],
	["/profile", "profile", "profile", "unregistered"],
	["/sessions", "sessions", "sessions", "unregistered"],
	["/courses", "courses", "courses", "public"],
	["/courses/:id", "courses", "course", "public"],
	["/tests", "tests", "tests", "public"],
	["/tests/:id", "tests", "test", "public"],
	["/tests/:id/take", "take", "take", "user"],
	["/results", "results", "results", "user"],
	["/results/:id", "results", "result", "user"],
	["/materials", "materials", "materials", "user"],
	["/contact", "contact", "contact", "public"],
	["/office", "office-dashboard", "dashboard", "admin"],
	["/office/users", "office-users", "users", "admin"],
	["/office/users/import", "office-import", "importUsers", "admin"],
	["/office/users/:id", "office-users", "user", "admin"],
	["/office/courses", "office-courses", "courses", "admin"],
	["/office/courses/:id", "office-courses", "course", "admin"],
	["/office/tests", "office-tests", "tests", "admin"],
	["/office/tests/:id", "office-test", "test", "admin"],
	["/office/tests/:id/statistics", "office-statistics", "statistics", "admin"],
	["/office/results", "office-results", "results", "admin"],
	["/office/results/:id", "office-results", "result", "admin"],
	["/office/materials", "office-materials", "materials", "admin"],
	["/office/materials/:id", "office-materials", "material", "admin"],
	["/office/contacts", "office-contacts", "contacts", "admin"],
	["/office/contacts/:id", "office-contacts", "contact", "admin"],
	["/office/files", "office-files", "files", "admin"],
	["/office/settings", "office-settings", "settings", "admin"],
	["/office/settings/:key", "office-settings", "setting", "admin"],
	["/office/audit", "office-audit", "audit", "admin"],
];

// Address, icon, least role. The label is menu.ADDRESS.
const MENU = [
	["/courses", "course", "public"],
	["/tests", "test", "public"],
	["/results", "result", "user"],
	["/materials", "material", "user"],
	["/contact", "contact", "public"],
];
const OFFICE_MENU = [
	["/office", "dashboard"],
	["/office/users", "people"],
	["/office/courses", "course"],
	["/office/tests", "test"],
	["/office/results", "result"],
	["/office/materials", "material"],
	["/office/contacts", "contact"],
	["/office/files", "file"],
	["/office/settings", "settings"],
	["/office/audit", "audit"],
];

const RANK = { public: 0, unregistered: 1, user: 2, admin: 3, superadmin: 4 };

let user = null;
let leaving = null;	// what the server says to somebody who has asked for the deletion of their account
const main = h("main", { id: "main", tabindex: -1 });
const places = new Map();	// how far each address was scrolled

/** What the person may open. A user who has not completed the registration may little. */
const rank = () => (!user ? 0 : user.role === "user" && !user.isRegistrationComplete ? 1 : RANK[user.role]);

/** Reads who is logged in. Screens call it after they changed that. */
export async function whoAmI() {
	[user, leaving] = [null, null];
	try {
		if (tokens())
			user = await get("/me");
	} catch (error) {
		// Only somebody whose account is to be deleted has a good token and no profile.
		if (error.status !== 403)
			throw error;
		leaving = error;
	}
	drawShell();
	return user;
}

// ---- the shell

const skip = h("a", { class: "skip", href: "#main", onclick: (event) => {
	event.preventDefault();
	main.focus();
} });
const bar = h("header", { class: "bar" });
const menu = h("nav", { id: "menu" });

/** Draws what is around the screen. The screen itself stays, and so do dialogs. */
function drawShell() {
	const isOffice = rank() >= RANK.admin;
	fill(skip, t("skip"));
	menu.setAttribute("aria-label", t("menu"));
	fill(bar,
		h("button", { type: "button", class: "plain menu-button", "aria-expanded": "false", "aria-controls": "menu", "aria-label": t("menu"),
			onclick: toggleMenu }, icon("menu")),
		h("a", { class: "brand", href: "#/", "aria-label": "okul" }, h("img", { src: "icon.svg", alt: "", width: 28, height: 28 }), h("span", {}, "okul")),
		h("span", { class: "grow" }),
		languageChoice(),
		user ? h("a", { class: "person", href: "#/profile", "aria-label": user.name || user.email }, icon("person"), h("span", {}, user.name || user.email))
			: !leaving && h("a", { class: "button", href: "#/login" }, t("log-in")));
	fill(menu,
		h("ul", {}, MENU.filter(([, , role]) => RANK[role] <= rank()).map(([path, name]) => menuLink(path, name))),
		isOffice && [h("h2", {}, t("menu.office")), h("ul", {}, OFFICE_MENU.map(([path, name]) => menuLink(path, name)))],
		(user || leaving) && [h("h2", {}, t("menu.me")), h("ul", {},
			user && [menuLink("/profile", "person"), menuLink("/sessions", "audit")],
			h("li", {}, h("button", { type: "button", class: "plain", onclick: leave }, icon("logout"), t("log-out"))))]);
	markMenu(readAddress().path);
}

const menuLink = (path, name) => h("li", {}, h("a", { href: address(path) }, icon(name), t(`menu.${path}`)));

function toggleMenu(event) {
	const isOpen = document.body.classList.toggle("menu-open");
	event.currentTarget.setAttribute("aria-expanded", String(isOpen));
}

function closeMenu() {
	document.body.classList.remove("menu-open");
	document.querySelector(".menu-button")?.setAttribute("aria-expanded", "false");
}

function markMenu(path) {
	for (const link of menu.querySelectorAll("a")) {
		const at = link.hash.slice(1);
		const isHere = at === path || (at !== "/office" && path.startsWith(`${at}/`));
		isHere ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
	}
}

function languageChoice() {
	return h("select", { class: "language", "aria-label": t("language"), value: language(), onchange: async (event) => {
		await useLanguage(event.target.value);
		await open();
	} }, Object.entries(LANGUAGES).map(([code, name]) => h("option", { value: code, lang: code }, name)));
}

async function leave() {
	if (!mayLeave(t("leave-unsaved")))
		return;
	guardLeaving(null);
	await logOut();
	await whoAmI();
	location.hash = "#/";
	notify(t("logged-out"));
}

// ---- screens

function find(path) {
	const parts = path.split("/");
	for (const [pattern, file, name, role] of ROUTES) {
		const words = pattern.split("/");
		const params = {};
		if (words.length === parts.length &&
			words.every((word, i) => (word.startsWith(":") ? parts[i] && (params[word.slice(1)] = decodeURIComponent(parts[i])) : word === parts[i])))
			return { file, name, role, params };
	}
	return null;
}

let turn = 0;
let shown = null;

/** Opens the screen of the address. Screens call it after something that changes all of them. */
export async function open() {
	const mine = ++turn;
	const { path, query } = readAddress();
	const here = location.hash;
	guardLeaving(null);
	closeMenu();
	main.setAttribute("aria-busy", "true");
	let content;
	try {
		content = await screen(path, query);
	} catch (error) {
		content = [h("h1", {}, t(error.status === 404 ? "not-found" : "error.title")), failureBox(error, error.status === 404 ? null : open)];
	}
	if (mine !== turn)
		return;
	drawShell();
	fill(main, content);
	main.removeAttribute("aria-busy");
	const title = main.querySelector("h1");
	document.title = title ? `${title.textContent} · okul` : "okul";
	if (shown !== null && title) {
		title.tabIndex = -1;
		title.focus({ preventScroll: true });
	}
	shown = here;
	history.replaceState({ ...history.state, shown: here }, "");
	scrollTo(0, places.get(here) ?? 0);
}

async function screen(path, query) {
	if (leaving)
		return (await import("./screens/leaving.js")).leaving({ sentences: leaving.errors });
	const route = find(path);
	if (!route)
		return [h("h1", {}, t("not-found")), h("p", {}, h("a", { href: "#/" }, t("to-start")))];
	if (RANK[route.role] > rank()) {
		if (!user)
			location.replace(address("/login", { to: location.hash.slice(1) }));
		else if (rank() === RANK.unregistered)
			location.replace(address("/register", { to: location.hash.slice(1) }));
		else
			return [h("h1", {}, t("forbidden")), h("p", {}, t("forbidden.text"))];
		return [];
	}
	const module = await import(`./screens/${route.file}.js`);
	return module[route.name]({ params: route.params, query, user });
}

addEventListener("hashchange", (event) => {
	const from = new URL(event.oldURL).hash;
	if (from === shown && !mayLeave(t("leave-unsaved"))) {
		history.replaceState(history.state, "", from);
		return;
	}
	open();
});
addEventListener("scroll", () => shown === location.hash && places.set(shown, scrollY), { passive: true });
addEventListener("keydown", (event) => event.key === "Escape" && closeMenu());

// ---- start

onOtherTab(() => location.reload());
onSessionOver(async () => {
	const { askLogin } = await import("./screens/login.js");
	return askLogin(user);
});

async function start() {
	await useLanguage();
	document.body.append(skip, bar, h("div", { class: "page" }, menu, main));
	try {
		await whoAmI();
	} catch (error) {
		if (error.status === 401) {
			location.hash = "#/login";
		} else {
			drawShell();
			fill(main, h("h1", {}, t("error.title")), failureBox(error, () => location.reload()));
			return;
		}
	}
	await open();
}

start();
