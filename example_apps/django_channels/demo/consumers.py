"""Says who you are, then repeats what you say."""

from channels.generic.websocket import AsyncJsonWebsocketConsumer


class Echo(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.user = self.scope["state"]["supertokens"].get_user_id()
        await self.accept()
        await self.send_json({"user": self.user})

    async def receive_json(self, content, **kwargs):
        await self.send_json({"from": self.user, "said": content})
