"""`verify_session` for AWS Lambda."""

from supertokens_py.framework.aws_lambda import verify_session

__all__ = ["verify_session"]
