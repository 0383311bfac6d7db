"""The statement as a PDF: a statement of account that can be checked line against line."""

from reporting.report.latency import DailyLatency
from reporting.report.libraries import PangoMissing, ReportError
from reporting.report.page import Brand
from reporting.report.render import WorkerFailed, render_report, report_filename

__all__ = [
    "Brand",
    "DailyLatency",
    "PangoMissing",
    "ReportError",
    "WorkerFailed",
    "render_report",
    "report_filename",
]
