"""The widget: segments the chosen image on a thread of its own, with progress and a button to stop it."""

from __future__ import annotations

import threading

import ftuseg
import napari.viewer
from magicgui.widgets import ComboBox, Container, FloatSpinBox, Label, ProgressBar, PushButton
from napari.layers import Image
from napari.qt.threading import thread_worker

from .labels import labels_of, mpp_of, px_of

ROUTES = ("tile", "slide", "organ=kidney", "organ=prostate", "organ=large intestine", "organ=spleen", "organ=lung")


class Segment(Container):
    """Asks for the image, its um/px and the route; adds labels with their table."""

    # napari hands over its viewer to a parameter of this name.
    def __init__(self, napari_viewer: napari.viewer.ViewerModel) -> None:
        self.viewer = napari_viewer
        self.image = ComboBox(label="Image", choices=self._images, nullable=True)
        self.mpp = FloatSpinBox(label="um/px", value=0.5, min=0.02, max=40.0, step=0.01)
        self.route = ComboBox(label="Route", choices=ROUTES, value="tile", tooltip="tile: each piece of tissue by its organ")
        self.start = PushButton(text="Segment")
        self.stop = PushButton(text="Stop", enabled=False)
        self.bar = ProgressBar(value=0, max=1)
        self.said = Label(value="")
        super().__init__(
            widgets=[self.image, self.mpp, self.route, self.start, self.stop, self.bar, self.said]
        )
        self._engines: dict[str, ftuseg.Engine] = {}
        self._cancel = threading.Event()
        self.worker = None
        self.image.changed.connect(self._take_mpp)
        self.start.changed.connect(self.run)
        self.stop.changed.connect(self._cancel.set)
        for event in (self.viewer.layers.events.inserted, self.viewer.layers.events.removed):
            event.connect(self._layers_changed)
        self._layers_changed()

    def _images(self, _: ComboBox) -> list[Image]:
        return [layer for layer in self.viewer.layers if isinstance(layer, Image)]

    def _layers_changed(self, _: object = None) -> None:
        chosen = self.image.value
        self.image.reset_choices()
        if chosen is None and (images := self._images(self.image)):
            self.image.value = images[-1]

    def _take_mpp(self, layer: Image | None) -> None:
        mpp = mpp_of(layer) if layer is not None else None
        if mpp is not None and 0.02 <= mpp <= 40.0:
            self.mpp.value = mpp

    def _engine(self, route: str) -> ftuseg.Engine:
        """An engine is made once for each route; networks stay loaded."""
        if route not in self._engines:
            self._engines[route] = ftuseg.Engine(route=route)
        return self._engines[route]

    def run(self) -> None:
        """Begins. What comes of it is a layer of labels, or a line that says why not."""
        layer = self.image.value
        if layer is None:
            self.said.value = "Open an image first."
            return
        try:
            px = px_of(layer)
        except ValueError as error:
            self.said.value = str(error)
            return
        route, mpp = self.route.value, self.mpp.value
        self._cancel.clear()

        @thread_worker
        def work():
            # What the callback gets goes to the window's thread by the next yield.
            latest = [0, 1]
            done = threading.Event()
            outcome = []

            def tell(count: int, planned: int) -> None:
                latest[:] = count, max(planned, 1)

            def segment() -> None:
                try:
                    outcome.append(
                        self._engine(route).segment(
                            px, mpp=mpp, id=layer.name, progress=tell, cancel=self._cancel
                        )
                    )
                except ftuseg.FtusegError as error:
                    outcome.append(error)
                finally:
                    done.set()

            inner = threading.Thread(target=segment)
            inner.start()
            while not done.wait(0.1):
                yield tuple(latest)
            inner.join()
            # An error that is none of the engine's was told by the thread itself. The list keeps the worker from raising
            # an error that stands in it.
            return outcome or [ftuseg.InternalError("the work ended unexpectedly; see the console")]

        self.worker = work()
        self.worker.yielded.connect(self._show)
        self.worker.returned.connect(lambda outcome: self._finish(layer, *outcome))
        self.start.enabled, self.stop.enabled = False, True
        self.said.value = "Segmenting ..."
        self.worker.start()

    def _show(self, tiles: tuple[int, int]) -> None:
        self.bar.max = tiles[1]
        self.bar.value = min(tiles)

    def _finish(self, layer: Image, found: ftuseg.Result | ftuseg.FtusegError) -> None:
        self.start.enabled, self.stop.enabled = True, False
        if isinstance(found, ftuseg.FtusegError):
            self.said.value = "Stopped." if isinstance(found, ftuseg.Cancelled) else str(found)
            return
        self.bar.value = self.bar.max
        data, options, _ = labels_of(layer, found)
        self.viewer.add_labels(data, **options)
        doubts = "".join(f"\n{doubt.text}" for doubt in found.warnings)
        self.said.value = f"{len(found.objects)} units.{doubts}"
