// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {OwnedModule} from "./base/PausableModule.sol";

/// Counts reputation. Only declared callers add to it or take away.
contract ReputationEngine is OwnedModule {
    mapping(address => uint256) public reputation;
    mapping(address => bool) public callers;

    event ReputationChanged(address indexed user, int256 delta, uint256 value);
    event CallerUpdated(address indexed caller, bool allowed);

    error NotCaller(address caller);

    constructor(address owner_, address[] memory initialCallers) OwnedModule(owner_) {
        for (uint256 i = 0; i < initialCallers.length; i++) _setCaller(initialCallers[i], true);
    }

    function add(address user, uint256 amount) external whenNotPaused {
        if (!callers[msg.sender]) revert NotCaller(msg.sender);
        reputation[user] += amount;
        emit ReputationChanged(user, int256(amount), reputation[user]);
    }

    function subtract(address user, uint256 amount) external whenNotPaused {
        if (!callers[msg.sender]) revert NotCaller(msg.sender);
        uint256 taken = amount > reputation[user] ? reputation[user] : amount;
        reputation[user] -= taken;
        emit ReputationChanged(user, -int256(taken), reputation[user]);
    }

    function setCaller(address caller, bool allowed) external onlyOwner {
        _setCaller(caller, allowed);
    }

    function _setCaller(address caller, bool allowed) private {
        callers[caller] = allowed;
        emit CallerUpdated(caller, allowed);
    }
}
