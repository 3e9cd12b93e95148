"""What can be wrong with archives, or in the way of making one."""

from config.errors import ConflictError, NotFoundError, SettingsError, ShabarmanError
from config.language import Text


class ArchivingError(ConflictError):
    """Another `shabarman archive` works on this folder. Fact: `folder`."""

    code = "archiving"
    text = Text("`shabarman archive` already works on {folder}. Wait until it has finished.")


class MissingArchiveError(SettingsError):
    """Files of archives are not where they should be, or have another size. Facts: `files`, `folder`."""

    code = "missing_archive"
    text = Text(
        "These archives are not whole in {folder}: {files}. Bring them back from a copy, or say in "
        "SHABARMAN_ARCHIVE_FOLDER where they lie. Nothing is deleted meanwhile."
    )


class BrokenArchiveError(ShabarmanError):
    """A file is no archive, or not whole. Facts: `file`, `cause`."""

    code = "broken_archive"
    text = Text("{file} is no whole archive ({cause}). Bring it back from a copy; nothing was deleted.")


class NewerArchiveError(ShabarmanError):
    """A file was written by a later version. Facts: `file`, `version`."""

    code = "newer_archive"
    text = Text(
        "{file} has version {version} of the format. Install a later version of the program to read it."
    )


class WholeArchiveError(ConflictError):
    """An archive that shall be made again is as it was sealed. Fact: `file`."""

    code = "whole_archive"
    text = Text("{file} is whole. `shabarman archive` goes on with it.")


class UnknownPacketError(NotFoundError):
    """There is no packet with this number. Fact: `what`."""

    code = "not_found"
