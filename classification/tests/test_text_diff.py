import pytest
from hypothesis import given
from hypothesis import strategies as st

from classification.staff.text_diff import Piece, differences


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("一样", "一样", [Piece("same", "一样")]),
        ("", "新", [Piece("added", "新")]),
        (
            "你是助手。\n好",
            "你是专家。\n好",
            [
                Piece("same", "你是"),
                Piece("removed", "助手"),
                Piece("added", "专家"),
                Piece("same", "。\n"),
                Piece("same", "好"),
            ],
        ),
        (
            "choose pets",
            "choose other",
            [Piece("same", "choose "), Piece("removed", "pets"), Piece("added", "other")],
        ),
    ],
)
def test_what_changed_is_marked(old: str, new: str, pieces: list[Piece]) -> None:
    assert differences(old, new) == pieces


@given(st.text("ab \n你好。"), st.text("ab \n你好。"))
def test_the_pieces_make_up_both_texts(old: str, new: str) -> None:
    pieces = differences(old, new)

    assert "".join(piece.text for piece in pieces if piece.kind != "added") == old
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == new
