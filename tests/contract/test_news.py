"""Replies and lender events on their queues: what the ports promise, of the fake and of SQS alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from dunning.adapters.sqs import SqsNews, SqsNewsFailures
from dunning.ports.queues import News, NewsFailures
from tests.contract.conftest import BACKENDS, engine_of
from tests.support.fakes import FakeNews
from tests.support.stand_in import Aws


@dataclass
class Desk:
    """News seen through the ports; `bring` puts a message on either queue, and `take` takes one in hand."""

    news: News
    failures: NewsFailures
    bring: Callable[[int], object]
    take: Callable[[int], object]


def _on_sqs(aws: Aws, urls: list[str]) -> Desk:
    return Desk(
        SqsNews(aws.sqs, urls[:2], urls[2]),
        SqsNewsFailures(aws.sqs, urls[2]),
        lambda queue: aws.sqs.send_message(QueueUrl=urls[queue], MessageBody="x"),
        lambda queue: aws.sqs.receive_message(QueueUrl=urls[queue]),
    )


@pytest.fixture(params=BACKENDS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    if request.param == "fake":
        fake = FakeNews()
        yield Desk(
            fake,
            fake,
            lambda _: setattr(fake, "messages", fake.messages + 1),
            lambda _: setattr(fake, "messages", fake.messages - 1),
        )
        return
    aws = engine_of(request)
    # Queues for this test alone: two that bring news, and the place for failures.
    urls = [aws.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("news-a", "news-b", "news-failures")]
    yield _on_sqs(aws, urls)
    for url in urls:
        aws.sqs.delete_queue(QueueUrl=url)


def test_messages_wait_on_either_queue_until_a_function_has_them_in_hand(desk: Desk) -> None:
    assert desk.news.waiting() == 0
    for queue in (0, 1):
        desk.bring(queue)
    assert desk.news.waiting() == 2
    desk.take(0)
    assert desk.news.waiting() == 1
    assert not desk.news.has_failed()


def test_a_note_of_a_failure_is_seen_by_everybody_until_it_has_expired(desk: Desk) -> None:
    assert not desk.news.has_failed()
    desk.failures.note()
    assert desk.news.has_failed()
    assert desk.news.waiting() == 0
    desk.failures.note()
    assert desk.news.has_failed()


def test_a_note_of_a_failure_says_nothing_and_stays_while_somebody_looks_at_it(aws: Aws) -> None:
    url = aws.sqs.create_queue(QueueName="news-failures")["QueueUrl"]
    desk = _on_sqs(aws, ["", "", url])
    desk.failures.note()
    (message,) = aws.sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "failed"
    assert desk.news.has_failed()
    aws.sqs.delete_queue(QueueUrl=url)
