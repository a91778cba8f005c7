"""Replies and lender events on their queues: what the ports promise, on SQS."""

from collections.abc import Iterator

import pytest

from dunning.adapters.sqs import SqsNews, SqsNewsFailures
from tests.local.cloud import LocalCloud


@pytest.fixture
def queues(cloud: LocalCloud) -> Iterator[list[str]]:
    """Make queues for this test alone: two that bring news, and the place for failures."""
    urls = [cloud.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("news-a", "news-b", "news-failures")]
    yield urls
    for url in urls:
        cloud.sqs.delete_queue(QueueUrl=url)


def test_messages_wait_on_either_queue_until_a_function_has_them_in_hand(cloud: LocalCloud, queues: list[str]) -> None:
    news = SqsNews(cloud.sqs, queues[:2], queues[2])
    assert news.waiting() == 0
    for queue in queues[:2]:
        cloud.sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert news.waiting() == 2
    cloud.sqs.receive_message(QueueUrl=queues[0])
    assert news.waiting() == 1
    assert not news.has_failed()


def test_a_note_of_a_failure_is_seen_by_everybody_and_says_nothing(cloud: LocalCloud, queues: list[str]) -> None:
    news = SqsNews(cloud.sqs, queues[:2], queues[2])
    assert not news.has_failed()
    SqsNewsFailures(cloud.sqs, queues[2]).note()
    assert news.has_failed()
    (message,) = cloud.sqs.receive_message(QueueUrl=queues[2])["Messages"]
    assert message["Body"] == "failed"
    assert news.has_failed(), "also while somebody looks at it"
