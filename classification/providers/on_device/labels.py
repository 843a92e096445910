"""Maps ImageNet's thousand labels to categories.

Each line is a category and labels by name; `first..last` is a range in the order of
`weights/labels.txt`. Labels that are not listed count as `other`. `paper` is not a category: it is
what printed text looks like, and indicates a card only together with a face.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

LABELS_FILE = Path(__file__).parent / "weights" / "labels.txt"

TABLE = """
pets | Chihuahua..Mexican hairless
pets | tabby..Egyptian cat
pets | wood rabbit..Angora
pets | hamster
pets | guinea pig
pets | African grey..lorikeet
pets | goldfish
foods | hot pot, mashed potato, meat loaf, consomme, soup bowl
foods | plate, guacamole, carbonara, frying pan, wok, Crock Pot, caldron
foods | cheeseburger, hotdog, pizza, burrito, potpie
foods | trifle, ice cream, ice lolly, chocolate sauce, confectionery
foods | French loaf, bagel, pretzel, dough, bakery
foods | head cabbage..mushroom, corn, ear, bolete, agaric
foods | Granny Smith..pomegranate, grocery store
foods | espresso, cup, coffee mug, coffeepot, espresso maker, eggnog
foods | red wine, wine bottle, beer bottle, beer glass, whiskey jug, goblet, cocktail shaker
foods | pop bottle, teapot, pitcher
foods | restaurant, dining table, mixing bowl, tray, Dutch oven, rotisserie, waffle iron
foods | butcher shop, hen-of-the-woods
foods | Dungeness crab..crayfish
travel_scenery | alp, cliff, valley, volcano, geyser, mountain tent
travel_scenery | seashore, sandbar, promontory, coral reef, breakwater, pier, beacon
travel_scenery | lakeside, dam, boathouse, dock, canoe, paddle, gondola
travel_scenery | catamaran, schooner, trimaran, yawl, liner, lifeboat, fireboat, container ship
travel_scenery | castle, palace, triumphal arch, dome
travel_scenery | church, monastery, mosque, stupa, bell cote
travel_scenery | cliff dwelling, megalith, obelisk, totem pole, pedestal, stone wall
travel_scenery | suspension bridge, steel arch bridge, viaduct
travel_scenery | streetcar, trolleybus, library, cinema
travel_scenery | fountain, planetarium, flagpole, patio
travel_scenery | barn, thatch, tile roof, yurt
travel_scenery | worm fence, water tower, greenhouse, picket fence
travel_scenery | airliner, balloon, speedboat, wreck, pirate, drilling platform
travel_scenery | traffic light, street sign, park bench, carousel, altar, vault
travel_scenery | rapeseed, hay, maze
screenshot | web site, screen
paper | web site, menu, envelope, book jacket, packet, binder, crossword puzzle, notebook, wallet
single_person | suit, Windsor tie, bow tie, bolo tie
single_person | academic gown, lab coat, groom, trench coat
single_person | bikini, maillot, swimming trunks, bathing cap, scuba diver
single_person | jersey, ballplayer, knee pad
single_person | kimono, miniskirt, hoopskirt, overskirt
single_person | poncho, sarong, pajama, sweatshirt
single_person | sunglass, sunglasses, wig, cowboy hat, sombrero
single_person | cardigan, jean, fur coat, gown, abaya, brassiere
"""


@cache
def names() -> tuple[str, ...]:
    """The English names of the labels, by number."""
    return tuple(LABELS_FILE.read_text().splitlines())


@cache
def numbers_by_category() -> dict[str, tuple[int, ...]]:
    """The numbers of the labels of each category, and of paper."""
    found: dict[str, tuple[int, ...]] = {}
    for line in TABLE.strip().splitlines():
        category, named = line.split(" | ")
        numbers = (number for label in named.split(", ") for number in _numbers(label))
        found[category] = (*found.get(category, ()), *numbers)
    return found


def numbers(category: str) -> tuple[int, ...]:
    """The numbers of the labels of a category."""
    return numbers_by_category()[category]


def _numbers(label: str) -> list[int]:
    """The numbers of a label or a range; some names have two. Raises ValueError if unknown."""
    first, _, last = label.partition("..")
    if last:
        return list(range(names().index(first), names().index(last) + 1))
    names().index(first)
    return [number for number, name in enumerate(names()) if name == first]


def masses(probabilities: Sequence[float]) -> dict[str, float]:
    """The probability mass of each category, and of paper."""
    return {
        category: sum(probabilities[number] for number in numbers(category))
        for category in numbers_by_category()
    }
