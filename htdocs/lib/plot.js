// Plots by Chart.js, which is loaded with the first one. Each stands beside a table with the same numbers.
import { h } from "./dom.js";
import { language } from "./text.js";

let loading = null;

function load() {
	loading ??= new Promise((resolve, reject) => {
		document.head.append(h("script", { src: "lib/chart.min.js", onload: () => resolve(window.Chart), onerror: reject }));
	});
	return loading;
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const SERIES = ["--accent", "--plot-2", "--plot-3", "--plot-4"];

/**
 * A plot. It is drawn again when the colours of the page change.
 * @param {{type: "line"|"bar"|"doughnut", title: string, labels: string[], series: {label: string, values: number[]}[]}} what
 * @returns {HTMLElement}
 */
export function plot({ type, title, labels, series }) {
	const canvas = h("canvas", { role: "img", "aria-label": title });
	const box = h("div", { class: `plot ${type}` }, canvas);
	let chart;

	const draw = (Chart) => {
		const style = getComputedStyle(document.documentElement);
		const colour = (name) => style.getPropertyValue(name).trim();
		const isRound = type === "doughnut";
		const axis = { grid: { color: colour("--line") }, ticks: { color: colour("--soft"), precision: 0 }, beginAtZero: true };
		chart?.destroy();
		chart = new Chart(canvas, {
			type,
			data: {
				labels,
				datasets: series.map(({ label, values }, i) => ({
					label, data: values, borderColor: isRound ? colour("--paper") : colour(SERIES[i]), tension: 0.3, borderWidth: 2,
					backgroundColor: isRound ? values.map((_, at) => colour(SERIES[at % SERIES.length])) : colour(SERIES[i]),
				})),
			},
			options: {
				locale: language(), maintainAspectRatio: false, animation: false,
				plugins: { legend: { display: isRound || series.length > 1, position: "bottom", labels: { color: colour("--ink"), boxWidth: 14 } } },
				scales: isRound ? {} : { x: axis, y: axis },
			},
		});
	};

	load().then((Chart) => {
		if (!box.isConnected)
			return;
		draw(Chart);
		const again = () => (box.isConnected ? draw(Chart) : dark.removeEventListener("change", again));
		dark.addEventListener("change", again);
	}, () => box.remove());
	return box;
}
