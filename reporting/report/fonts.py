"""The bundled fonts, and the fontconfig file that names them and nothing else."""

from __future__ import annotations

from pathlib import Path

FONTS = Path(__file__).parents[1] / "assets" / "fonts"
FONTCONFIG = FONTS / "fonts.conf"  # without any font WeasyPrint ends in a segmentation fault
