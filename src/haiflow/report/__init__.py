"""Figures, 3D scenes and one self-contained page."""

from haiflow.report.presenter import Presenter

__all__ = ["Presenter"]
