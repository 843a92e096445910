"""Which of ImageNet's thousand labels speak for which category, by number."""

from functools import cache
from pathlib import Path

LABELS_FILE = Path(__file__).parent / "weights" / "labels.txt"

# Ranges include both ends. What is in none of them speaks for `other`.
PETS = ((151, 268), (281, 285), (330, 333), (338, 338), (1, 1), (87, 89))
FOODS = (
    (440, 440), (505, 505), (509, 509), (550, 550), (567, 567), (659, 659), (737, 737),
    (809, 809), (762, 762), (849, 849), (898, 898), (901, 901), (907, 907), (923, 969),
    (987, 988), (991, 992), (997, 998),
)  # fmt: skip
SCENERY = (
    (404, 404), (425, 425), (437, 437), (442, 442), (449, 449), (460, 460), (472, 472),
    (483, 483), (484, 484), (497, 497), (498, 500), (510, 510), (525, 525), (536, 536),
    (538, 538), (554, 554), (562, 562), (576, 576), (580, 580), (624, 625), (628, 628),
    (646, 646), (649, 649), (660, 660), (663, 663), (668, 668), (672, 672), (682, 682),
    (690, 690), (693, 693), (698, 698), (703, 704), (706, 706), (708, 708), (716, 716),
    (718, 718), (727, 727), (733, 733), (743, 743), (780, 780), (812, 812), (821, 821),
    (825, 825), (829, 829), (832, 833), (839, 839), (853, 853), (858, 858), (863, 863),
    (871, 871), (873, 873), (888, 888), (900, 900), (912, 912), (914, 915), (970, 970),
    (972, 980), (919, 920), (975, 975), (979, 979),
)  # fmt: skip
SCREENS = ((782, 782), (916, 916), (590, 590), (688, 688), (664, 664), (918, 918), (917, 917))
# What people wear and hold: speaks for a person whose face is not seen.
PEOPLE = (
    (400, 400), (433, 433), (445, 445), (457, 457), (459, 459), (601, 601), (608, 608),
    (610, 610), (614, 615), (617, 617), (639, 639), (655, 655), (608, 608), (689, 689),
    (697, 697), (735, 735), (775, 775), (770, 770), (834, 834), (836, 837), (841, 842),
    (869, 869), (903, 903), (906, 906), (981, 983),
)  # fmt: skip

# Printed words: web site, comic book, crossword, book jacket, menu.
TEXT = (916, 917, 918, 921, 922)

SPEAKS_FOR = {
    "pets": PETS,
    "foods": FOODS,
    "travel_scenery": SCENERY,
    "screenshot": SCREENS,
    "single_person": PEOPLE,
}


@cache
def names() -> tuple[str, ...]:
    """The English names of the labels, by number."""
    return tuple(LABELS_FILE.read_text().splitlines())


@cache
def numbers(category: str) -> tuple[int, ...]:
    """The numbers of the labels that speak for a category."""
    return tuple(n for first, last in SPEAKS_FOR[category] for n in range(first, last + 1))
