"""Pages and figures of runs, drawn from plain frames.

``report_page`` makes one HTML file that needs nothing else: no network, no server, no font.
``run_figure`` makes a plotly figure for a notebook. Both draw the same panels.
"""

from steelyard.plots.figure import run_figure
from steelyard.plots.frames import Frame, ReportRun, SeriesFacts
from steelyard.plots.page import report_page

__all__ = ["Frame", "ReportRun", "SeriesFacts", "report_page", "run_figure"]
