import pytest

from bank import Account


def test_deposit():
    account = Account()
    account.deposit(5)
    assert account.balance == 5


def test_overdraft():
    account = Account(3)
    with pytest.raises(ValueError):
        account.withdraw(5)
    assert account.balance == 3


def test_negative_deposit():
    with pytest.raises(ValueError):
        Account().deposit(-1)
