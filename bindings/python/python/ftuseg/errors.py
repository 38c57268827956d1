"""What can go wrong, by kind. Every error of the engine is a `FtusegError`."""


class FtusegError(Exception):
    """An error of the engine. Its text says what happened, to which file, and often what to do."""

    kind: str = "internal"
    """The kind in a word, as the records of the command name it."""


class FormatError(FtusegError):
    """The file is no slide, or is broken."""

    kind = "format"


class UnsupportedError(FtusegError):
    """The file is sound, but uses something that cannot be read here."""

    kind = "unsupported"


class IoError(FtusegError, OSError):
    """The system could not read or write a file."""

    kind = "io"


class LimitError(FtusegError):
    """The slide, or a number in it, is larger than the engine allows."""

    kind = "limits"


class UsageError(FtusegError, ValueError):
    """Something was asked for that does not exist or makes no sense."""

    kind = "usage"


class NoResolutionError(FtusegError):
    """The um/px of the slide is needed and not known: hand in `mpp`."""

    kind = "no-resolution"


class NoModelError(FtusegError):
    """The bundle has no model, or no router, for what was asked."""

    kind = "no-model"


class BundleError(FtusegError):
    """There is no bundle, or it is broken."""

    kind = "bundle"


class BackendError(FtusegError):
    """The runtime, the device or a network failed."""

    kind = "backend"


class Cancelled(FtusegError):
    """The caller cancelled the work. The engine can be used again right away."""

    kind = "stopped"


class InternalError(FtusegError):
    """An error in the engine itself; please report it."""

    kind = "internal"


_KINDS: dict[str, type[FtusegError]] = {
    error.kind: error for error in FtusegError.__subclasses__()
}


def of_kind(kind: str, message: str) -> FtusegError:
    """The error of a kind; one that this version does not know is an `InternalError`."""
    return _KINDS.get(kind, InternalError)(message)
