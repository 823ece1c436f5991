# Writes what the accessibility tree of the running phone has, a line for each: role, name, depth, and "focused" for
# what has the keyboard.
import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi  # noqa: E402


def walk(node, depth):
    if node is None or depth > 60:
        return
    focused = "focused" if node.get_state_set().contains(Atspi.StateType.FOCUSED) else ""
    print(node.get_role_name(), " ".join((node.get_name() or "").split()), depth, focused, sep="\t")
    for place in range(node.get_child_count()):
        walk(node.get_child_at_index(place), depth + 1)


Atspi.init()
walk(Atspi.get_desktop(0), 0)
