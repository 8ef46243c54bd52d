// What the school gave to the person who is logged in.
import { get } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { date, size, t, valueLabel } from "../lib/text.js";

export async function materials() {
	const { materials: all } = await get("/education-materials/assigned/me");
	return [
		h("h1", {}, t("menu./materials")),
		all.length ? all.map(shownMaterial) : h("p", { class: "nothing" }, t("materials.empty")),
	];
}

function shownMaterial(material) {
	return h("article", { class: "card material" },
		h("h2", {}, material.title, !material.openedAt && material.pdfs.length > 0 && h("span", { class: "tag good" }, t("materials.new"))),
		h("p", { class: "hint" }, [t("materials.given", { day: date(material.assignedAt), name: material.assignedBy?.name || t("materials.school") }),
			valueLabel(material.locale), material.level].filter(Boolean).join(" · ")),
		material.note && h("p", { class: "box text" }, material.note),
		material.description && h("p", { class: "text" }, material.description),
		h("ul", { class: "plain-list" },
			material.pdfs.map((pdf) => h("li", { class: "row-card" },
				h("a", { href: pdf.url, target: "_blank", rel: "noopener" }, icon("file"), " ", pdf.title, h("span", { class: "hidden" }, ` (${t("new-tab")})`)),
				h("span", { class: "hint" }, `PDF · ${size(pdf.size)}`))),
			material.videos.map((video) => h("li", {}, shownVideo(video)))));
}

/** A video of this site plays here; another site would learn who watches, so that is a link. */
export function shownVideo(video) {
	const address = new URL(video.url, document.baseURI);
	if (address.origin === location.origin)
		return h("figure", {}, h("video", { controls: true, preload: "none", src: video.url }), h("figcaption", {}, video.title));
	return h("div", { class: "row-card" },
		h("a", { href: video.url, target: "_blank", rel: "noopener noreferrer" }, icon("video"), " ", video.title, h("span", { class: "hidden" }, ` (${t("new-tab")})`)),
		h("span", { class: "hint" }, t("materials.elsewhere", { host: address.host })));
}
