// Five hundred texts that have broken pages, for tests. Those that are scripts set window.__xss.

const RUN = "window.__xss=1";
const TAGS = [
	`<script>${RUN}</script>`, `<img src=x onerror=${RUN}>`, `<svg onload=${RUN}>`, `<body onload=${RUN}>`, `<iframe src=javascript:${RUN}>`,
	`<details open ontoggle=${RUN}>`, `<input autofocus onfocus=${RUN}>`, `<select autofocus onfocus=${RUN}>`, `<video><source onerror=${RUN}>`,
	`<audio src=x onerror=${RUN}>`, `<marquee onstart=${RUN}>`, `<a href=javascript:${RUN}>a</a>`, `<object data=javascript:${RUN}>`, `<embed src=javascript:${RUN}>`,
	`<style onload=${RUN}>`, `<link rel=stylesheet href=//evil.example>`, `<base href=//evil.example>`, `<math href=javascript:${RUN}>a`, `<form action=javascript:${RUN}><button>`,
	`<svg><animate onbegin=${RUN}>`, `<svg><script>${RUN}`, `<img srcset=x onerror=${RUN}>`, `<meta http-equiv=refresh content=0>`, `<template><script>${RUN}</script>`,
	`<div style=position:fixed;inset:0>`, `<dialog open>`, `<textarea onfocus=${RUN} autofocus>`, `<table background=javascript:${RUN}>`, `<p onclick=${RUN}>p`, `<x onpointerover=${RUN}>x`,
];
const BEFORE = ["", "\"", "'", "\">", "'>", "-->", "</title>", "</textarea>", "</script>", "]]>", "`", "\\\">"];
const SCRIPTS = [
	`';${RUN};//`, `";${RUN};//`, `\`;${RUN};//`, `\${${RUN}}`, `{{${RUN}}}`, `{{constructor.constructor('${RUN}')()}}`, `<%= ${RUN} %>`, `#{${RUN}}`, `{%${RUN}%}`, `[[${RUN}]]`,
	`javascript:${RUN}`, `JaVaScRiPt:${RUN}`, `java&#9;script:${RUN}`, `data:text/html,<script>${RUN}</script>`, `vbscript:${RUN}`, `//evil.example`, `https://evil.example/?"><script>`,
	"&lt;script&gt;", "&#60;script&#62;", "%3Cscript%3E", "\\u003cscript\\u003e", "\\x3cscript\\x3e", "＜script＞", "<<script>script>", "<scr<script>ipt>", "<!--", "<![CDATA[", "<?php ?>", "<!DOCTYPE x>", "&nbsp;&amp;&quot;&#x27;",
];
const WORDS = [
	"null", "undefined", "NaN", "Infinity", "true", "false", "None", "nil", "0", "-1", "1e309", "0x10", "[object Object]", "__proto__", "constructor", "toString", "hasOwnProperty",
	"then", "valueOf", "{name}", "{n}", "%s%n%x", "$1", "$&", "${HOME}", "\\", "\\\\", "\\n", "../../etc/passwd", "C:\\con\\con", "NUL", "CON.pdf", "=1+1", "+1", "-1+2", "@SUM(A1)",
	"=cmd|'/C calc'!A0", "1;DROP TABLE user", "' OR 1=1 --", "'; DELETE FROM course; --", "1' UNION SELECT 1 --", "\" OR \"\"=\"", "%", "_", "%%", "a%b_c", "*", "(", "[", "(?!", "#/office", "?page=2",
	"NULL", "<null>", "void 0", "0/0", "1/0", "٣", "１", "00", "1,000", "1.000,5", "12:60", "2024-02-30", "user@", "@", "mailto:a@b", "\\u0000", "^", "~", "|", "A".repeat(64),
];
const SIGNS = [
	"مرحبا بالعالم", "שלום עולם", "\u202Eabc\u202C", "\u2066abc\u2069", "\u200Fabc", "a\u200Bb", "a\u00ADb", "\uFEFFabc", "Ｆｕｌｌ", "ﬁ ﬂ ß ẞ", "İiIı", "ǅ", "𝕬𝖇𝖈", "田中さん", "안녕하세요", "สวัสดี", "ᚠᛇᚻ", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
	"👍🏿", "🇹🇷🇪🇸", "❤️", "(╯°□°）╯︵ ┻━┻", "¯\\_(ツ)_/¯", "﷽", "𒐫𒐫𒐫", "⸻⸻⸻", "꧅꧅꧅", "௵௵௵", "\u0301\u0301\u0301", "é e\u0301", "\u2028abc", "\uFFFD", "“”‘’", "—–‐", "½⅓", "①②", "𐐀", "\u{10FFFD}",
];

/** A letter with marks above and below. */
const zalgo = (count) => `Z${"\u0300\u0316\u0334\u035B\u0359".repeat(count)}algo`;

/** @returns {string[]} 500 different ones, short ones and long ones mixed */
export function payloads() {
	const all = [
		...WORDS, ...SIGNS, ...SCRIPTS, ...[1, 4, 10].map(zalgo), "W".repeat(60), "i".repeat(300), "_".repeat(120), "ÿ".repeat(90), "ﷺ".repeat(40), "https://example.com/" + "a".repeat(180), "a\u0308".repeat(60), "👩‍👩‍👧‍👦".repeat(9),
		...BEFORE.flatMap((before) => TAGS.map((tag) => before + tag)),
	];
	const found = [...new Set(all)].slice(0, 500);
	// Neighbours share a row, so that each row has something of all kinds.
	return Array.from({ length: found.length }, (_, i) => found[(i * 201) % found.length]);
}

const length = (text) => [...text].length;	// as the API counts

/** The texts in pieces of at most `limit` characters: as many in each as there is room for. A longer text is cut. */
export function packed(texts, limit) {
	const pieces = [];
	let piece = "";
	for (const text of texts) {
		const cut = length(text) > limit ? [...text].slice(0, limit).join("") : text;
		if (piece && length(piece) + 1 + length(cut) <= limit) {
			piece += ` ${cut}`;
		} else {
			if (piece)
				pieces.push(piece);
			piece = cut;
		}
	}
	return [...pieces, piece];
}
