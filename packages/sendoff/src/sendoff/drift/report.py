"""A run as one HTML page: figures and plots, nothing from elsewhere, so that it can be mailed and kept."""

from __future__ import annotations

from html import escape

from ..spec.drift import COMPLETED, Bin, DriftDetector, DriftRun, FeatureDrift

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2rem 0 .3rem}table{border-collapse:collapse;width:100%}
th,td{padding:.3rem .6rem;border-bottom:1px solid #d9dee3;text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:9rem}
th{white-space:normal;vertical-align:bottom}main{overflow-x:auto}
.moved{color:#a40e26;font-weight:600}.calm{color:#116329;font-weight:600}small{color:#57606a}
svg{max-width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:#1b1f24}.b{fill:#8c959f}.t{fill:#0969da}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}svg text{fill:#e6edf3}
th,td{border-color:#30363d}
.moved{color:#ff7b72}.calm{color:#3fb950}small{color:#9198a1}.t{fill:#4493f8}}
"""
_WIDTH, _HEIGHT, _PAD, _FOOT = 720, 200, 40, 66


def page(detector: DriftDetector, run: DriftRun) -> str:
    """The report of a run."""
    title = f"Drift of {run.service}, {run.first_day} to {run.last_day}"
    if run.state == COMPLETED and run.coefficient is not None:
        word, kind = ("above", "moved") if run.detected else ("not above", "calm")
        verdict = (
            f'<p class="{kind}">Drift coefficient {run.coefficient:.3f}: {word} the threshold of {run.threshold:g}.</p>'
        )
    else:
        verdict = f"<p class=moved>{escape(run.error or run.state)}</p>"
    baseline = escape(
        detector.settings.dataset or f"the first {detector.settings.baseline_rows} rows that were collected"
    )
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>{escape(title)}</title><style>{_STYLE}</style><h1>{escape(title)}</h1>{verdict}",
        f"<p>{run.target_rows} rows against {run.baseline_rows} of {baseline}. Detector {escape(detector.name)}, "
        f"workspace {escape(detector.workspace)}, run {escape(run.id)}.</p>",
    ]
    if run.features:
        parts += [_table(run.features), *(_section(one) for one in run.features)]
    parts.append(
        "<p><small>Magnitude is the Kolmogorov-Smirnov statistic of a number, the total variation distance of "
        "categories, or the change of the share of missing values, whichever is largest; what may be chance (p ≥ 0.01) "
        "counts as 0. The coefficient is the largest magnitude.</small></p></html>"
    )
    return "".join(parts)


def _table(features: list[FeatureDrift]) -> str:
    head = (
        "Feature",
        "Magnitude",
        "Share",
        "PSI",
        "KS",
        "Distance",
        "p",
        "Wasserstein",
        "Energy",
        "Missing before",
        "now",
    )
    rows = []
    for one in features:
        cells = [
            f"{one.magnitude:.3f}",
            f"{one.contribution:.0%}",
            *(_figure(v) for v in (one.psi, one.ks, one.distance, one.p_value, one.wasserstein, one.energy)),
            f"{one.missing_baseline:.1%}",
            f"{one.missing_target:.1%}",
        ]
        rows.append(f"<tr><td>{escape(one.name)}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    legend = "<p><small>In the plots, grey is before and blue is now.</small></p>"
    heads = "".join(f"<th>{name}</th>" for name in head)
    return f"<main><table><tr>{heads}</tr>{''.join(rows)}</table></main>{legend}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _section(one: FeatureDrift) -> str:
    said = []
    if one.mean_baseline is not None and one.mean_target is not None:
        said.append(f"mean {one.mean_baseline:.4g} before, {one.mean_target:.4g} now")
    if one.new_categories:
        said.append(f"new: {', '.join(escape(category) for category in one.new_categories)}")
    note = f"<small>{'; '.join(said)}</small>" if said else ""
    plot = _plot(one.name, one.bins) if one.bins else "<p>No values to plot.</p>"
    return f"<h2>{escape(one.name)}</h2>{note}{plot}"


def _plot(name: str, bins: list[Bin]) -> str:
    most = max(max(b.baseline, b.target) for b in bins) or 1.0
    step = (_WIDTH - _PAD) / len(bins)
    bar = step * 0.38
    label = f"Shares of {name} in each range: before in grey, now in blue"
    drawn = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + _FOOT}" role="img" aria-label="{escape(label, quote=True)}">']
    for share in (0.0, most / 2, most):
        y = _HEIGHT - share / most * (_HEIGHT - 12)
        drawn.append(f'<text x="{_PAD - 5}" y="{y:.1f}" text-anchor="end">{share:.0%}</text>')
    for index, one in enumerate(bins):
        left = _PAD + index * step + step * 0.1
        for offset, share, kind in ((0.0, one.baseline, "b"), (bar, one.target, "t")):
            high = share / most * (_HEIGHT - 12)
            drawn.append(
                f'<rect class="{kind}" x="{left + offset:.1f}" y="{_HEIGHT - high:.1f}" width="{bar:.1f}" '
                f'height="{high:.1f}"><title>{escape(one.label)}: {share:.1%}</title></rect>'
            )
        x, y = left + bar, _HEIGHT + 12
        text = one.label if len(one.label) < 18 else f"{one.label[:16]}…"
        drawn.append(
            f'<text x="{x:.1f}" y="{y}" text-anchor="end" transform="rotate(-30 {x:.1f} {y})">{escape(text)}</text>'
        )
    return "".join([*drawn, "</svg>"])
