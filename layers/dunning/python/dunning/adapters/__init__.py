"""The only place where boto3 is called. Each adapter implements a port; the SDK's errors end here."""
