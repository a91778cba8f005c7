"""Adapters: implement the ports with boto3, which no other module calls. The SDK's errors end here."""
