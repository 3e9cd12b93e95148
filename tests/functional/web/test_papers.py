"""Printing from the pages and through the API: two clicks from the packet, and every print in the log."""

from collections.abc import Callable

from barcodes.numbers import grouped
from models.printed import Paper
from tests.functional.web.visitors import Program, Visitor
from tests.integration.workflow.crew import Crew
from tests.unit.barcodes.papers.reading import words
from web.pages.papers import NAMES

Visitors = Callable[[str], Visitor]
Programs = Callable[[str], Program]


def test_a_receipt_is_two_clicks_from_its_packet(crew: Crew, visitor: Visitors) -> None:
    number = crew.accept()
    inspector = visitor("inspector.aksu")
    assert f'href="/packets/{number}/papers"' in inspector.see(f"/packets/{number}").text
    page = inspector.see(f"/packets/{number}/papers")
    assert page.status_code == 200
    assert f'action="/packets/{number}/papers/receipt"' in page.text
    assert "/papers/notice" not in page.text
    made = inspector.send(f"/packets/{number}/papers/receipt")
    assert made.status_code == 200
    assert made.headers["content-type"] == "application/pdf"
    assert made.headers["content-disposition"] == f'inline; filename="receipt-{number}-1.pdf"'
    assert "object-src 'self'" in made.headers["content-security-policy"]
    assert grouped(number) in words(made.content)
    assert "копия 2" in words(inspector.send(f"/packets/{number}/papers/receipt").content)
    log = inspector.text(f"/packets/{number}/papers")
    assert "Printed so far 2" in log
    assert "Receipt for the applicant 2 Inspector of aksu" in log


def test_labels_come_for_every_printer(crew: Crew, visitor: Visitors) -> None:
    number = crew.accept()
    inspector = visitor("inspector.aksu")
    for dpi, width in ((203, 464), (300, 685)):
        made = inspector.send(f"/packets/{number}/papers/label?dpi={dpi}", fmt="zpl")
        assert f"^PW{width}" in made.text
        assert made.headers["content-type"].startswith("application/zpl")
    refused = inspector.send(f"/packets/{number}/papers/label?dpi=96", fmt="zpl")
    assert refused.status_code == 422
    assert "203, 300, 600" in refused.text
    assert inspector.send(f"/packets/{number}/papers/label", fmt="exe").status_code == 404
    sheet = inspector.send("/papers/labels", numbers=f"{grouped(number)}\n", per_sheet="40", skip="3")
    assert sheet.headers["content-type"] == "application/pdf"
    assert "копия 3" in words(sheet.content)
    wrong = inspector.send("/papers/labels", numbers="123", per_sheet="40")
    assert wrong.status_code in {404, 422}
    assert ">123</textarea>" in wrong.text


def test_the_manifest_and_its_act_are_printed_by_both_sides_and_by_nobody_else(
    crew: Crew, visitor: Visitors
) -> None:
    number = crew.accept()
    bag = crew.send(number)
    sender, receiver, other = visitor("accumulator.aksu"), visitor("registrar.alakol"), visitor("head.aksu")
    assert f'href="/manifests/{bag}/papers"' in sender.see(f"/manifests/{bag}").text
    assert grouped(number) in words(sender.send(f"/manifests/{bag}/papers/manifest").content)
    assert "копия 2" in words(receiver.send(f"/manifests/{bag}/papers/manifest").content)
    refused = receiver.send(f"/manifests/{bag}/papers/batch_refusal", reason=" ")
    assert refused.status_code == 422
    assert "reason" in refused.text
    assert "пломба" in words(
        receiver.send(f"/manifests/{bag}/papers/batch_refusal", reason="пломба бұзылған").content
    )
    assert other.see(f"/manifests/{bag}/papers").status_code == 404
    assert other.send(f"/manifests/{bag}/papers/manifest").status_code == 404


def test_papers_need_a_sign_in_and_a_form_of_ours(crew: Crew, visitor: Visitors) -> None:
    number = crew.accept()
    inspector = visitor("inspector.aksu")
    assert inspector.client.post(f"/packets/{number}/papers/label").status_code == 403
    inspector.client.cookies.clear()
    assert inspector.see("/papers/card.pdf").headers["location"].startswith("/sign-in")


def test_the_desk_card_and_the_addresses(visitor: Visitors) -> None:
    inspector = visitor("inspector.aksu")
    assert inspector.text("/papers")
    assert "98 000001" in words(inspector.see("/papers/card.pdf").content)
    assert "Алакөл ауданының" in words(inspector.see("/papers/addresses.pdf?kind=department").content)
    assert inspector.see("/papers/addresses.pdf?kind=school").status_code == 404


def test_programs_print_too(crew: Crew, program: Programs) -> None:
    number = crew.accept()
    inspector = program("inspector.aksu")
    made = inspector.post(f"/packets/{number}/papers/receipt", None)
    assert (made.status_code, made.headers["content-type"]) == (200, "application/pdf")
    zpl = inspector.post(f"/packets/{number}/papers/label?fmt=zpl&dpi=300", None)
    assert "^PW685" in zpl.text
    missing = inspector.post(f"/packets/{number}/papers/notice", None)
    assert (missing.status_code, missing.json()["code"]) == (422, "not_this_paper")
    assert inspector.post(f"/packets/{number}/papers/poem", None).status_code == 422
    assert program("head.aksu").post(f"/packets/{number}/papers/receipt", None).status_code == 404
    bag = crew.send(number)
    assert inspector.post(f"/manifests/{bag}/papers/bag_label?fmt=svg", None).text.startswith("<svg")


def test_every_paper_has_a_name() -> None:
    assert set(NAMES) == set(Paper)
