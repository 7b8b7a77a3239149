"""Where the texts of a figure stand."""

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from simulator.report import style


def boxes(figure):
    """Where each text of a figure stands."""
    canvas = FigureCanvasAgg(figure)
    with style.drawing():
        canvas.draw()
    hidden = {text for axes in figure.axes for text in hidden_texts(axes)}
    texts = [one for one in figure.findobj(Text) if one.get_text().strip() and one.get_visible() and one not in hidden]
    return [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in texts]


def hidden_texts(axes):
    """Texts of axes that are not shown, and labels of ticks outside the limits."""
    if not axes.get_visible():
        return axes.findobj(Text)
    ticks = [(axis, tick) for axis in (axes.xaxis, axes.yaxis) for tick in axis.get_major_ticks()]
    return [
        label
        for axis, tick in ticks
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    ]


def check_texts(figure):
    """Every text lies on the sheet, none on another, and all can be read."""
    found = boxes(figure)
    assert len(found) > 8
    narrow = figure.get_figwidth() < style.BROAD
    small = [text for text in figure.findobj(Text) if text.get_text() and text.get_fontsize() < (7.6 if narrow else 7)]
    assert not small
    outside = [
        text for text, box in found if box.x0 < 0 or box.y0 < 0 or box.x1 > figure.bbox.x1 or box.y1 > figure.bbox.y1
    ]
    assert not outside
    over = [
        (a, b)
        for (a, x), (b, y) in combinations(found, 2)
        if min(x.x1, y.x1) - max(x.x0, y.x0) > 1 and min(x.y1, y.y1) - max(x.y0, y.y0) > 1.5
    ]
    assert not over
